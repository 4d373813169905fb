"""Efficient-FIQA here: speed of its student, and how well perceptual models agree with labels.

    python benchmarks/efficient.py speed
    python benchmarks/efficient.py agreement --data DATA --labels test --ladder ladder A.onnx B.onnx

``speed`` imports the published student layout with random weights and times our ONNX file against
the same network in eager PyTorch, turn by turn in one run, on one thread, at 352 (uint8 pixels in,
quality out); it also says how far the two are apart (``imports.py`` does so for every kind, on
faces). ``agreement`` scores the pictures of a table ``DATA/test.csv`` (``path,label``) and compares
with the labels; the pictures of ``DATA/ladder.csv`` (``operation,severity,source``: what
``facegauge label full-reference --set ladder=5`` writes) say how a score falls with severity, kind
by kind. Intervals are 95 %, over pictures; for ladders over the pictures that were degraded.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from facegauge import Scorer, costs, models
from facegauge.evaluate.correlation import MEASURES, correlate
from facegauge.values import Outcome

SIDE, TURNS = 352, 40
RESAMPLES = 1000


def main() -> None:
    """Print tables in markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    speed_parser = commands.add_parser("speed")
    speed_parser.set_defaults(run=speed)
    agreement_parser = commands.add_parser("agreement")
    agreement_parser.add_argument("--data", type=Path, required=True)
    agreement_parser.add_argument("--labels", default="test")
    agreement_parser.add_argument("--ladder", default="")
    agreement_parser.add_argument("models", nargs="+", type=Path)
    agreement_parser.set_defaults(run=agreement)
    options = parser.parse_args()
    options.run(options)


def speed(_: argparse.Namespace) -> None:
    """One file and one network of the same weights, turn by turn."""
    import torch

    from facegauge.train.graders import planes
    from facegauge.train.imports import import_model
    from facegauge.train.kinds import KINDS
    from facegauge.train.networks import NETWORKS

    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from random_weights import portraits, random_weights

    torch.set_num_threads(1)
    name = "efficient-fiqa-student"
    pixels = portraits(1, SIDE)
    network = NETWORKS[name]()
    with tempfile.TemporaryDirectory() as folder:
        weights = random_weights(name, SIDE, convention=KINDS[name].convention)
        network.load_state_dict(weights)
        torch.save(weights, Path(folder) / "s.pth")
        import_model(name, Path(folder) / "s.pth", Path(folder) / "s.onnx")
        spent = costs.measure(Path(folder) / "s.onnx")
        opened = models.open(Path(folder) / "s.onnx", threads=1)
    network.eval()

    def eager() -> float:
        with torch.no_grad():
            return float(network(planes(torch.from_numpy(pixels))).item())

    ours, theirs = timed(lambda: float(opened.predict(pixels).raw[0]), eager)
    ratio = np.median(theirs.seconds) / np.median(ours.seconds)
    low, high = np.quantile(np.array(theirs.seconds) / np.array(ours.seconds), (0.1, 0.9))
    count = sum(weight.numel() for weight in network.parameters())
    print(f"{count:,} parameters, {spent.macs / 1e6:.1f} M MACs ({spent.convention})")
    print("| one thread, 352×352 | ms a picture (median) |\n|---|---:|")
    print(f"| our ONNX file | {1e3 * np.median(ours.seconds):.1f} |")
    print(f"| eager PyTorch {torch.__version__} | {1e3 * np.median(theirs.seconds):.1f} |")
    print(f"\nratio {ratio:.2f} (middle 80 % of {TURNS} turns: {low:.2f} to {high:.2f})")
    print(f"raw differs by {abs(ours.answer - theirs.answer):.1e} of {theirs.answer:.4f}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Seconds of each turn, and what was answered."""

    seconds: list[float]
    answer: float


def timed(*functions: Callable[[], float]) -> list[Timed]:
    """Call the functions turn by turn; the first three turns are not counted."""
    seconds: list[list[float]] = [[] for _ in functions]
    answers = [0.0 for _ in functions]
    for _ in range(TURNS + 3):
        for at, function in enumerate(functions):
            begun = time.perf_counter()
            answers[at] = function()
            seconds[at].append(time.perf_counter() - begun)
    return [Timed(seconds=s[3:], answer=a) for s, a in zip(seconds, answers, strict=True)]


def agreement(options: argparse.Namespace) -> None:
    """How well each model agrees with the labels, and with severity, kind by kind."""
    heads = [*(name.upper() for name in MEASURES), "(SRCC+PLCC)/2", "pictures"]
    print(f"| model | {' | '.join(heads)} |\n|---{'|---' * len(heads)}|")
    rows = _rows(options.data / f"{options.labels}.csv")
    labels = np.array([float(row["label"]) for row in rows])
    raws = []
    for path in options.models:
        pictures = [options.data / options.labels / row["path"] for row in rows]
        raws.append(scored(path, pictures))
        print(_agreement(path, raws[-1], labels), flush=True)
    _differences(options.models, raws, labels, np.array([row["identity"] for row in rows]))
    if options.ladder:
        _ladders(options.models, options.data, options.ladder)


def _agreement(path: Path, raw: np.ndarray, labels: np.ndarray) -> str:
    known = np.isfinite(raw)
    found = correlate(raw[known], labels[known], resamples=RESAMPLES)
    cells = [
        f"{getattr(found, m):.4f} [{getattr(found, f'{m}_low'):.4f}, "
        f"{getattr(found, f'{m}_high'):.4f}]"
        for m in MEASURES
    ]
    count = f"{found.count}, {int((~known).sum())} without a score"
    return f"| {path.stem} | {' | '.join(cells)} | {(found.srcc + found.plcc) / 2:.4f} | {count} |"


def _differences(
    paths: Sequence[Path], raws: Sequence[np.ndarray], labels: np.ndarray, people: np.ndarray
) -> None:
    """(SRCC+PLCC)/2 of each model minus that of each before, over resamples of the people."""
    known = np.all([np.isfinite(raw) for raw in raws], axis=0)
    rng, names = np.random.default_rng(0), np.unique(people[known])
    places = {name: np.flatnonzero(known & (people == name)) for name in names}
    drawn = [
        np.concatenate([places[name] for name in rng.choice(names, len(names))])
        for _ in range(RESAMPLES)
    ]
    print("\nDifference of (SRCC+PLCC)/2, and its interval over people:\n")
    print("| model | minus | difference |\n|---|---|---|")
    for later in range(1, len(paths)):
        for earlier in range(later):
            pair = raws[later], raws[earlier]
            whole = _ahead(*pair, labels, np.flatnonzero(known))
            low, high = np.quantile([_ahead(*pair, labels, at) for at in drawn], (0.025, 0.975))
            print(
                f"| {paths[later].stem} | {paths[earlier].stem} | "
                f"{whole:+.4f} [{low:+.4f}, {high:+.4f}] |"
            )


def _ahead(raw: np.ndarray, other: np.ndarray, labels: np.ndarray, at: np.ndarray) -> float:
    def score(of: np.ndarray) -> float:
        rank = spearmanr(of[at], labels[at]).statistic
        return float(rank + np.corrcoef(of[at], labels[at])[0, 1]) / 2

    return score(raw) - score(other)


def _ladders(paths: Sequence[Path], data: Path, name: str) -> None:
    """-SRCC of score and severity over all pictures of a kind: 1 falls as it should."""
    rows = [row for row in _rows(data / f"{name}.csv") if row["operation"]]
    kinds = list(dict.fromkeys(row["operation"] for row in rows))
    sources = np.array([row["source"] for row in rows])
    severity = np.array([float(row["severity"]) for row in rows])
    print("\nRank correlation with severity (turned around, 1 is best):\n")
    print(f"| model | {' | '.join(kinds)} |\n|---{'|---' * len(kinds)}|")
    for path in paths:
        raw = scored(path, [data / name / row["path"] for row in rows])
        cells = []
        for kind in kinds:
            own = np.array([row["operation"] == kind for row in rows]) & np.isfinite(raw)
            cells.append(_falling(raw[own], severity[own], sources[own]))
        print(f"| {path.stem} | {' | '.join(cells)} |", flush=True)


def _falling(raw: np.ndarray, severity: np.ndarray, sources: np.ndarray) -> str:
    """-SRCC with its interval over resamples of the pictures that were degraded."""
    rng, names = np.random.default_rng(0), np.unique(sources)
    places = {name: np.flatnonzero(sources == name) for name in names}
    drawn = []
    for _ in range(RESAMPLES // 5):
        taken = np.concatenate([places[name] for name in rng.choice(names, len(names))])
        drawn.append(-spearmanr(raw[taken], severity[taken]).statistic)
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return f"{-spearmanr(raw, severity).statistic:.3f} [{low:.3f}, {high:.3f}]"


def scored(path: Path, pictures: Sequence[Path]) -> np.ndarray:
    """Raw quality of pictures of whole faces; nan where there is no score."""
    scorer, found = Scorer(path, input="crop", threads=1), []
    for start in range(0, len(pictures), 32):
        prepared = [scorer.prepare(each)[0] for each in pictures[start : start + 32]]
        found += scorer.finish(prepared)
    return np.array([each.raw if each.outcome is Outcome.SCORED else np.nan for each in found])


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
