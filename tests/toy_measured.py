"""Embeddings of invented people, as techniques that compare people are handed them."""

from __future__ import annotations

import numpy as np

from facegauge.techniques.technique import Measured


def people(
    counts: tuple[int, ...] = (30, 3, 5, 2, 1), width: int = 6, seed: int = 0
) -> tuple[Measured, dict[str, str]]:
    """Unit embeddings and norms of people with so many pictures, in no order; and who is who."""
    rng = np.random.default_rng(seed)
    names, rows = [], []
    for person, count in enumerate(counts):
        centre = rng.normal(0, 1, width)
        for number in range(count):
            vector = centre + rng.normal(0, 0.7, width)
            unit = vector / np.linalg.norm(vector)
            names.append((f"{number:02d}_{person}.png", f"person {person}"))
            rows.append([*unit, rng.uniform(5, 20)])
    order = rng.permutation(len(names))
    measured = Measured(
        paths=tuple(names[at][0] for at in order),
        values=np.array(rows, dtype=np.float32)[order],
    )
    return measured, dict(names)


def parts(measured: Measured) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings N×D and norms N, float64."""
    values = measured.values.astype(np.float64)
    return values[:, :-1], values[:, -1]


def shuffled(measured: Measured, seed: int = 9) -> Measured:
    """The same in another order."""
    order = np.random.default_rng(seed).permutation(len(measured.paths))
    return Measured(paths=tuple(measured.paths[at] for at in order), values=measured.values[order])
