"""Every kind of published model, imported in full size: do torch and ONNX Runtime agree on faces?

    python benchmarks/imports.py --data DATA [--kinds ai-kd magface ...]

DATA holds ``celeba_crops/`` and ``celeba_crops.csv``. Weights are random, in the published layouts,
with the statistics of a batch of faces. For each kind: size of the file, seconds to import, largest
difference of the raw number on 16 crops, and milliseconds a crop in ONNX Runtime, one at a time.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from facegauge import alignment, framing, images, models
from facegauge.cards import Crop, View
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.train.imports import import_model
from facegauge.train.kinds import KINDS, ImportKind
from facegauge.train.networks import NETWORKS
from facegauge.values import Landmarks, Pixels

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from random_weights import random_weights

CROPS = 16
CALIBRATED = 56
"""Pictures for kinds without a scale of their own; their scores are of no interest here."""


def main() -> None:
    """Print the table in markdown."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    chosen = options.parse_args()
    rows = list(csv.DictReader((chosen.data / "celeba_crops.csv").open()))
    folder = chosen.data / "celeba_crops"
    print("| kind | network | MB | import s | largest difference | raw (spread) | ms a crop |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in chosen.kinds:
        for layout in KINDS[name].layouts:
            measure(KINDS[name], layout.network, folder, rows)


def measure(kind: ImportKind, network: str, folder: Path, rows: list[dict[str, str]]) -> None:
    """One row: import random weights, compare with torch, take the time."""
    crops = np.stack([cropped(folder, row, kind.crop) for row in rows[:CROPS]])
    weights = random_weights(network, kind.crop.size, convention=kind.convention)
    with tempfile.TemporaryDirectory() as place:
        file, out, faces = (Path(place) / each for each in ("w.pth", "m.onnx", "faces"))
        torch.save(weights, file)
        link(folder, rows[:CALIBRATED], faces)
        begun = time.perf_counter()
        scaled = any(each.network == network and each.calibration for each in kind.layouts)
        import_model(kind.name, file, out, faces=None if scaled else faces)
        seconds = time.perf_counter() - begun
        opened, size = models.open(out, threads=1), out.stat().st_size / 1e6
    wanted = by_torch(network, weights, kind, crops)
    begun = time.perf_counter()
    found = np.concatenate([opened.predict(crop[None]).raw for crop in crops])
    pace = (time.perf_counter() - begun) / len(crops)
    shown = f"{wanted.mean():.2f} ({wanted.std():.2f}) | {1e3 * pace:.0f}"
    difference = np.abs(found - wanted).max()
    row = f"| {kind.name} | {network} | {size:.1f} | {seconds:.0f} | {difference:.1e} | {shown} |"
    print(row, flush=True)


def cropped(folder: Path, row: dict[str, str], crop: Crop) -> Pixels:
    """A face as a kind wants to see it."""
    pixels = images.read(folder / row["path"]).pixels
    if crop.view is View.WHOLE:
        return framing.whole_view(pixels, crop)
    points = Landmarks.from_array([float(row[column]) for column in LANDMARK_COLUMNS[1:]])
    return alignment.align(pixels, points, crop.size, crop.resampling)


def link(folder: Path, rows: list[dict[str, str]], target: Path) -> None:
    """A folder with some of the pictures."""
    target.mkdir()
    for number, row in enumerate(rows):
        source = folder / row["path"]
        (target / f"{number}{source.suffix}").symlink_to(source.resolve())


def by_torch(
    network: str, weights: dict[str, torch.Tensor], kind: ImportKind, crops: Pixels
) -> np.ndarray:
    """Raw numbers from torch, one crop at a time."""
    made = NETWORKS[network]().eval()
    made.load_state_dict(weights)
    told = kind.preprocessing
    ordered = crops[..., ::-1] if told.bgr else crops
    planes = (ordered - np.array(told.mean)) / np.array(told.std)
    with torch.no_grad():
        answers = [made(torch.from_numpy(one.transpose(2, 0, 1)[None]).float()) for one in planes]
    return torch.cat(answers).numpy().ravel()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
