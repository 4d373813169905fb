"""How the default model stands beside LightQNet, sharpness and chance, on people it never saw.

    python benchmarks/peers.py --data DATA --recognisers y1.onnx foamliu.onnx [--model utility]

DATA holds ``celeba_crops/``, ``celeba_crops.csv`` and ``peers/lightqnet-*.onnx``. The recognisers
are model files (``facegauge models wrap``). All pairs of the test people are compared: ``difiqa``
protocol, FMR 1e-3, discard 0.3, pAUC divided by FNMR(0) x 0.3, so 1.0 means no gain and lower is
better. Recognition always sees properly aligned faces. Two columns per recogniser: the quality sees
the aligned crop, or one whose landmarks are off by up to 3 pixels of a 112-pixel crop.

``--write DIR`` also writes the scores of every method as DIR/METHOD.csv (path,score) and, of
misaligned faces, DIR/misaligned/METHOD.csv, which ``facegauge evaluate edc --scores`` takes.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from facegauge import alignment, images, models
from facegauge.evaluate.curves import Comparisons, compare_all
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.values import Landmarks, Pixels

JITTER = 3.0 / alignment.TEMPLATE_EYE_DISTANCE
DISCARD = 0.3
SEED = 0
BATCH = 64

Qualities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One picture of one person."""

    path: Path
    identity: str
    landmarks: Landmarks


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A quality: what it wants to see, and how it judges N crops of 112 pixels."""

    name: str
    resampling: str
    judge: Callable[[Pixels], Qualities]


def main() -> None:
    """Print the table in markdown."""
    options = _options()
    samples = read_samples(options.data, options.split)
    pairs = [compared(samples, Path(name)) for name in options.recognisers]
    for name, found in zip(options.recognisers, pairs, strict=True):
        errors = int((found.similarity < found.threshold).sum())
        print(
            f"{Path(name).stem}: {found.similarity.size} mated pairs, threshold "
            f"{found.threshold:.3f}, {errors} errors, FNMR(0) {errors / found.similarity.size:.4f}"
        )
    heads = [f"{Path(name).stem} {kind}" for name in options.recognisers for kind in CUTS]
    print(f"\n| method | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for method in methods(options.data, options.model):
        judged = {kind: judge(method, samples, jitter) for kind, jitter in CUTS.items()}
        print(row(method.name, judged, pairs), flush=True)
        if options.write:
            name = f"{method.name.replace(' ', '-')}.csv"
            write(options.write / name, samples, judged["aligned"])
            write(options.write / "misaligned" / name, samples, judged["misaligned"])


CUTS = {"aligned": 0.0, "misaligned": JITTER}


def judge(method: Method, samples: list[Sample], jitter: float) -> Qualities:
    """What a method says of all samples."""
    return method.judge(cut(samples, method.resampling, jitter))


def row(name: str, judged: dict[str, Qualities], pairs: list[Comparisons]) -> str:
    """One line of the table: pAUC for each recogniser, aligned and misaligned."""
    cells = [f"{found.curve(judged[kind]).pauc(DISCARD):.3f}" for found in pairs for kind in CUTS]
    return f"| {name} | {' | '.join(cells)} |"


def write(out: Path, samples: list[Sample], judged: Qualities) -> None:
    """Scores as a table."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "score"))
        pairs = zip(samples, judged.tolist(), strict=True)
        writer.writerows((each.path.name, repr(score)) for each, score in pairs)


def read_samples(data: Path, split: str) -> list[Sample]:
    """The pictures of one split."""
    with (data / "celeba_crops.csv").open(newline="") as file:
        return [
            Sample(
                path=data / "celeba_crops" / entry["path"],
                identity=entry["identity"],
                landmarks=Landmarks.from_array([float(entry[c]) for c in LANDMARK_COLUMNS[1:]]),
            )
            for entry in csv.DictReader(file)
            if entry["split"] == split
        ]


def cut(samples: list[Sample], resampling: str, jitter: float) -> Pixels:
    """Crops of 112 pixels, N×112×112×3, from landmarks off by ``jitter`` eye distances."""
    crops = []
    for number, sample in enumerate(samples):
        rng = np.random.default_rng((SEED, number))
        points = alignment.jitter(sample.landmarks, rng, relative=jitter)
        crops.append(alignment.align(images.read(sample.path).pixels, points, mode=resampling))
    return np.stack(crops)


def compared(samples: list[Sample], recogniser: Path) -> Comparisons:
    """All pairs of properly aligned faces under one recogniser."""
    model = models.open(recogniser)
    crops = cut(samples, "reference", 0.0)
    parts = [model.embed(crops[i : i + BATCH]).embedding for i in range(0, len(crops), BATCH)]
    return compare_all(np.concatenate(parts), [sample.identity for sample in samples])


def methods(data: Path, model: str) -> list[Method]:
    """The default model, its peers, and what any method must beat."""
    ours = models.open(model)
    peers = sorted((data / "peers").glob("lightqnet-*.onnx"))
    return [
        Method(
            name=f"facegauge {ours.card.identifier}",
            resampling=ours.card.crop.resampling,
            judge=lambda crops: batched(lambda part: ours.predict(part).raw, crops),
        ),
        *(Method(name=p.stem, resampling="reference", judge=lightqnet(p)) for p in peers),
        Method(name="Laplacian sharpness", resampling="reference", judge=sharpness),
        Method(name="random", resampling="reference", judge=chance),
    ]


def lightqnet(path: Path, threads: int = 0) -> Callable[[Pixels], Qualities]:
    """LightQNet: the 112 crop resized to 96, BGR, (x - 128) / 128; on all cores with 0 threads."""
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), chosen, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def judge(part: Pixels) -> Qualities:
        small = np.stack([cv2.resize(crop, (96, 96)) for crop in part])
        planes = (small[..., ::-1].astype(np.float32) - 128.0) / 128.0
        return session.run(None, {name: planes})[0]

    return lambda crops: batched(judge, crops)


def batched(judge: Callable[[Pixels], npt.NDArray[np.float32]], crops: Pixels) -> Qualities:
    """Judge crops a batch at a time."""
    parts = [np.ravel(judge(crops[i : i + BATCH])) for i in range(0, len(crops), BATCH)]
    return np.concatenate(parts).astype(np.float64)


def sharpness(crops: Pixels) -> Qualities:
    """Variance of the Laplacian of the grey crop."""
    greys = [cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in crops]
    return np.array([cv2.Laplacian(grey, cv2.CV_64F).var() for grey in greys])


def chance(crops: Pixels) -> Qualities:
    """No knowledge at all."""
    return np.random.default_rng(SEED).random(len(crops))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recognisers", nargs="+", required=True)
    parser.add_argument("--model", default="utility")
    parser.add_argument("--write", type=Path, help="Folder for score tables.")
    parser.add_argument("--split", default="test", help="test, or validation while choosing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
