"""What measures say of real faces, how scores go with them, and what they cost.

    python benchmarks/measures.py --images DATA/celeba_crops --landmarks DATA/celeba_crops.csv

Pictures of the table's split ``train`` (of all where it has no such column), drawn with a seed.
Three tables: each measure's scores and its rank correlation with the model's score; ladders of one
fault each on faces that look ahead, with what is left of their score beside the measure, which is
what the measures are calibrated on; and the time of measuring beside that of scoring. With
``--groups CSV`` (path,group) one other table: how light is measured on the skins of these groups.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scipy.stats import spearmanr

from facegauge import (
    Landmarks,
    LandmarkTable,
    Pixels,
    Scorer,
    exposure,
    images,
    read_landmarks,
)
from facegauge.evaluate.groups import read_groups
from facegauge.measures import measure
from facegauge.pose import pose_of

Fault = Callable[[Pixels, Landmarks], tuple[Pixels, Landmarks]]


def main() -> None:
    """Print the tables in markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--landmarks", type=Path, required=True)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--ladder", type=int, default=40)
    parser.add_argument("--split", default="train")
    parser.add_argument("--groups", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    table = read_landmarks(options.landmarks)
    if options.groups:
        print_groups(options.images, table, read_groups(options.groups))
    else:
        names = drawn(options.landmarks, options.split, options.count)
        print_faces([(options.images / name, table.of(name)[0]) for name in names], options.ladder)


def print_faces(faces: list[tuple[Path, Landmarks]], ladder: int) -> None:
    """The three tables of some faces; ladders of the first so many that look ahead."""
    scorer = Scorer(threads=1)
    print_agreement(scorer, faces)
    ahead = [face for face in faces if abs(pose_of(face[1]).yaw) < 15]
    print_ladders(scorer, [(images.read(path).pixels, at) for path, at in ahead[:ladder]])
    print_cost([path for path, _ in faces])


def drawn(landmarks: Path, split: str, count: int) -> list[str]:
    """Names of pictures of one split, in a drawn order."""
    with landmarks.open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row.get("split", split) == split]
    names = list(dict.fromkeys(row["path"] for row in rows))
    return [names[at] for at in np.random.default_rng(0).permutation(len(names))[:count]]


def print_groups(images_at: Path, table: LandmarkTable, groups: dict[str, str]) -> None:
    """Medians over the faces of each group, and the share of faces below 75 for their light.

    Beside them what ISO/IEC 29794-5 counts: pixels of linear luminance 25 of 255 and below.
    """
    print("| group | faces | brightness | below 75 | bits | below 75 | dark pixels by ISO |")
    print("|---|---|---|---|---|---|---|")
    for group in sorted(set(groups.values())):
        rows = []
        for name in (name for name, own in groups.items() if own == group and name in table):
            seen = exposure.lit(images.read(images_at / name).pixels, table.of(name)[0])
            if seen is not None:
                bright, rich = exposure.under_exposure(seen), exposure.dynamic_range(seen)
                dark = np.mean((seen.face / 255 + 0.055) / 1.055 <= (25 / 255) ** (1 / 2.4))
                rows.append((bright.value, bright.score < 75, rich.value, rich.score < 75, dark))
        values, low = np.median(rows, axis=0), np.mean(rows, axis=0)
        shown = f"{values[0]:.0f} | {low[1]:.1%} | {values[2]:.2f} | {low[3]:.1%} | {values[4]:.1%}"
        print(f"| {group} | {len(rows)} | {shown} |", flush=True)


def print_agreement(scorer: Scorer, faces: list[tuple[Path, Landmarks]]) -> None:
    """Percentiles of each measure, and its Spearman correlation with the score."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for path, points in faces:
        pixels = images.read(path).pixels
        [told] = scorer.assess(pixels, [points])
        for each in measure(pixels, points) if told.score is not None else ():
            found.setdefault(each.name, []).append((each.value, each.score, told.score or 0.0))
    print(f"{len(faces)} faces\n")
    print("| measure | faces | value: 5 %, half, 95 % | score: 5 %, half | SRCC with the score |")
    print("|---|---|---|---|---|")
    for name, rows in found.items():
        values, scores, quality = np.array(rows).T
        low, middle, high = np.percentile(values, [5, 50, 95])
        worst, usual = np.percentile(scores, [5, 50])
        rank = spearmanr(scores, quality).statistic if np.ptp(scores) > 0 else float("nan")
        shown = f"{low:.2f}, {middle:.2f}, {high:.2f} | {worst:.0f}, {usual:.0f} | {rank:+.2f}"
        print(f"| {name} | {len(rows)} | {shown} |", flush=True)


def print_ladders(scorer: Scorer, faces: list[tuple[Pixels, Landmarks]]) -> None:
    """Faults of growing strength: the score that is left, the measure's score and value."""
    print(f"\n{len(faces)} faces that look ahead, medians\n")
    print("| measure | fault | score left | measure | value |\n|---|---|---|---|---|")
    whole = np.median([_score(scorer, *face) for face in faces])
    for name, (word, steps) in LADDERS.items():
        for step, fault in steps.items():
            spoilt = [fault(*face) for face in faces]
            left = np.median([_score(scorer, *face) for face in spoilt]) / whole
            seen = [m for face in spoilt for m in measure(*face) if m.name == name]
            score = np.median([each.score for each in seen])
            value = np.median([abs(each.value) for each in seen])
            print(
                f"| {name} | {word} {step} | {left:.0%} | {score:.0f} | {value:.2f} |", flush=True
            )


def _score(scorer: Scorer, pixels: Pixels, points: Landmarks) -> float:
    return scorer.assess(pixels, [points])[0].score or 0.0


def print_cost(paths: list[Path]) -> None:
    """Milliseconds a picture with and without measures, as it is and with 12 megapixels."""
    small = [path.read_bytes() for path in paths[:50]]
    large = [_enlarged(path) for path in paths[:5]]
    print("\n| picture | score, ms | score and explain, ms | measuring is |\n|---|---|---|---|")
    for name, pictures in (("as it is", small), ("12 megapixels", large)):
        plain, explained = (_milliseconds(pictures, each) for each in (False, True))
        share = (explained - plain) / plain
        print(f"| {name} | {plain:.1f} | {explained:.1f} | {share:+.0%} |", flush=True)


def _milliseconds(pictures: list[bytes], explain: bool) -> float:
    scorer = Scorer(threads=1, explain=explain)
    scorer.assess(pictures[0])
    start = time.process_time()
    for picture in pictures:
        scorer.assess(picture)
    return 1e3 * (time.process_time() - start) / len(pictures)


def _enlarged(path: Path) -> bytes:
    image = Image.fromarray(images.read(path).pixels).convert("RGB")
    factor = (12e6 / (image.width * image.height)) ** 0.5
    size = round(image.width * factor), round(image.height * factor)
    stream = io.BytesIO()
    image.resize(size, Image.Resampling.BICUBIC).save(stream, "JPEG", quality=92)
    return stream.getvalue()


def blurred(sigma: float) -> Fault:
    """Gaussian blur, in pixels."""
    return lambda pixels, points: (cv2.GaussianBlur(pixels, (0, 0), sigma), points)


def multiplied(factor: float) -> Fault:
    """Darker or brighter."""
    return lambda pixels, points: (_eight_bit(pixels * float(factor)), points)


def flattened(share: float) -> Fault:
    """Less contrast about mid grey."""
    return lambda pixels, points: (_eight_bit(128 + (pixels - 128.0) * share), points)


def noisy(deviation: float) -> Fault:
    """Grey noise, in grey levels."""
    rng = np.random.default_rng(0)
    return lambda pixels, points: (
        _eight_bit(pixels + rng.normal(0, deviation, (*pixels.shape[:2], 1))),
        points,
    )


def compressed(quality: int) -> Fault:
    """A JPEG of that quality."""

    def fault(pixels: Pixels, points: Landmarks) -> tuple[Pixels, Landmarks]:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
        return np.asarray(Image.open(stream)), points

    return fault


def side_lit(stops: float) -> Fault:
    """Light that falls off across the face."""

    def fault(pixels: Pixels, points: Landmarks) -> tuple[Pixels, Landmarks]:
        eyes, distance = points.array()[:2, 0].mean(), points.inter_eye_distance
        place = np.clip((np.arange(pixels.shape[1]) - eyes) / (0.6 * distance), -0.5, 0.5)
        light = (pixels / 255.0) ** 2.2 * 2.0 ** (-stops * place)[None, :, None]
        return _eight_bit(255 * np.clip(light, 0, 1) ** (1 / 2.2)), points

    return fault


def smaller(share: float) -> Fault:
    """Fewer pixels."""

    def fault(pixels: Pixels, points: Landmarks) -> tuple[Pixels, Landmarks]:
        height, width = (max(1, round(side * share)) for side in pixels.shape[:2])
        small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        return small, points.scaled(width / pixels.shape[1], height / pixels.shape[0])

    return fault


def cut_below(eyes: float) -> Fault:
    """The picture ends so many eye distances below the eyes."""

    def fault(pixels: Pixels, points: Landmarks) -> tuple[Pixels, Landmarks]:
        end = points.array()[:2, 1].mean() + eyes * points.inter_eye_distance
        return np.ascontiguousarray(pixels[: max(1, round(end))]), points

    return fault


def _eight_bit(values: np.ndarray) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


LADDERS: dict[str, tuple[str, dict[str, Fault]]] = {
    "inter-eye distance": ("pixels ×", {f"{s}": smaller(s) for s in (1, 0.6, 0.5, 0.4, 0.33)}),
    "margins": ("ends below the eyes at", {f"{s}": cut_below(s) for s in (1.75, 1.5, 1.3)}),
    "under-exposure": ("light ×", {f"{s}": multiplied(s) for s in (0.5, 0.35, 0.25, 0.12)}),
    "over-exposure": ("light ×", {f"{s}": multiplied(s) for s in (1.5, 2, 3, 5)}),
    "dynamic range": ("contrast ×", {f"{s}": flattened(s) for s in (0.5, 0.2, 0.1)}),
    "illumination uniformity": ("stops", {f"{s}": side_lit(s) for s in (1, 2, 3, 4, 5, 6)}),
    "sharpness": ("blur, pixels", {f"{s}": blurred(s) for s in (1, 2, 3, 5)}),
    "noise": ("deviation", {f"{s}": noisy(s) for s in (4, 8, 16, 32)}),
    "compression artefacts": ("quality", {f"{s}": compressed(s) for s in (70, 30, 10, 5, 2)}),
}
"""For each measure a fault, what its strength is, and strengths."""


if __name__ == "__main__":
    main()
