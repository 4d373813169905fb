"""The techniques side by side: what they cost, how far they agree, and what they say of nonsense.

    python benchmarks/techniques.py --data DATA --recognisers y1.onnx foamliu.onnx [--count 1000]
        [--diffusion RUN]

DATA holds ``celeba_crops/`` and ``celeba_crops.csv``; the recognisers are model files (``facegauge
models wrap``). COUNT pictures are taken person by person, so that techniques that compare pictures
of one person find some, of the train and validation people; ``--split test`` takes the others.

``--nonsense`` also labels blank, noisy and faceless pictures, one put among the pictures of each of
the first people, and says where their labels lie: as a share of the range of the real faces' labels
(0 the lowest, 1 the highest), and how many of the real faces lie below.

``--write DIR`` writes the labels as DIR/TECHNIQUE-RECOGNISER.csv (path,score), which ``facegauge
evaluate edc --scores`` takes, and goes on there when it is started again. DifFIQA is among the
techniques when ``--diffusion`` names a run of the recipe ``difiqa``.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr
from skimage import data

from facegauge import framing, models
from facegauge.pictures import Picture
from facegauge.tables import read_identities, read_landmarks
from facegauge.techniques import catalogue
from facegauge.techniques.journal import Journal
from facegauge.techniques.labelling import crop_for, label_pictures
from facegauge.train.diffusion_labels import disturber
from facegauge.train.faceqan_gradients import attacker
from facegauge.values import Pixels

SIZE = 112
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What a technique says with a recogniser: labels by path, and seconds an image."""

    technique: str
    recogniser: str
    labels: dict[str, float]
    nonsense: dict[str, float]
    seconds: float


def main() -> None:
    """Print the tables in markdown."""
    options = _options()
    pictures = chosen(options.data, options.split.split("+"), options.count)
    invented = nonsense() if options.nonsense else {}
    found = []
    for path in options.recognisers:
        for name in options.techniques or every(options.diffusion):
            known = options.write and written(options.write, name, path.stem)
            found.append(known or labelled(name, path, pictures, invented, options))
            print(f"{found[-1].technique} {path.stem}: {found[-1].seconds:.3f} s", flush=True)
            if options.write and not known:
                write(options.write, found[-1])
    print(f"\n{len(pictures)} pictures, split {options.split}\n")
    print_ranges(found)
    for path in options.recognisers:
        print_correlations([each for each in found if each.recogniser == path.stem])
    print_across(found)
    if invented:
        print_nonsense(found, invented)


def every(diffusion: Path | None) -> list[str]:
    """The techniques for which everything is there."""
    return [name for name in catalogue.CONSTANTS if name != "difiqa" or diffusion]


def chosen(folder: Path, splits: list[str], count: int) -> list[Picture]:
    """The pictures of the first people of some splits, COUNT in all."""
    with (folder / "celeba_crops.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] in splits]
    rows.sort(key=lambda row: (row["identity"], row["path"]))
    pictures = folder / "celeba_crops"
    return [Picture(name=row["path"], source=pictures / row["path"]) for row in rows[:count]]


def labelled(
    name: str,
    path: Path,
    pictures: list[Picture],
    invented: dict[str, Pixels],
    options: argparse.Namespace,
) -> Labelled:
    """Label the pictures, timed, and then the nonsense beside them."""
    table = options.data / "celeba_crops.csv"
    recogniser = models.open(path, threads=options.threads)
    technique = catalogue.make(
        name,
        recogniser,
        settings=[each.split(":")[1] for each in options.set if each.split(":")[0] == name],
        seed=SEED,
        attacker=attacker,
        disturber=options.diffusion and partial(disturber, options.diffusion),
        threads=options.threads,
    )
    known = read_identities(table)
    people = {each.name: known[each.name] for each in pictures}
    cut = crop_for(recogniser, landmarks=read_landmarks(table))
    first, journal = list(dict.fromkeys(people.values())), Journal()
    people |= {each: first[at % len(first)] for at, each in enumerate(invented)}
    begun = time.perf_counter()
    labels = label_pictures(
        pictures, technique, cut, identities=people, journal=journal, workers=options.threads
    )
    seconds = (time.perf_counter() - begun) / len(pictures)
    if invented:
        odd = [Picture(name=each, source=pixels) for each, pixels in invented.items()]
        whole = replace(crop_for(recogniser, aligned=True), refuse_blank=False)
        labels = label_pictures(odd, technique, whole, identities=people, journal=journal)
    found = dict(zip(labels.paths, labels.values.tolist(), strict=True))
    return Labelled(
        technique=name,
        recogniser=path.stem,
        labels={path: value for path, value in found.items() if path not in invented},
        nonsense={each: found.get(each, float("nan")) for each in invented},
        seconds=seconds,
    )


def nonsense() -> dict[str, Pixels]:
    """Pictures without a face, by name."""
    rng = np.random.default_rng(SEED)
    noise = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    rows, columns = np.indices((SIZE, SIZE))
    soft = np.stack([gaussian_filter(noise[..., each].astype(float), 6) for each in range(3)], -1)
    soft = (soft - soft.min()) / np.ptp(soft) * 255
    return {
        "grey": np.full((SIZE, SIZE, 3), 128, dtype=np.uint8),
        "black": np.zeros((SIZE, SIZE, 3), dtype=np.uint8),
        "white": np.full((SIZE, SIZE, 3), 255, dtype=np.uint8),
        "ramp": grey((rows + columns) * 255 / (2 * SIZE)),
        "stripes": grey((columns // 8 % 2) * 255),
        "noise": noise,
        "soft noise": soft.astype(np.uint8),
        **{name: centre(getattr(data, name)()) for name in ("coffee", "text", "brick", "rocket")},
        "chelsea (a cat)": centre(data.chelsea()),
    }


def grey(values: npt.NDArray[np.floating]) -> Pixels:
    """A grey picture."""
    return np.repeat(values.astype(np.uint8)[..., None], 3, axis=2)


def centre(pixels: Pixels) -> Pixels:
    """The centre of a picture as a crop."""
    return framing.centre_square(grey(pixels) if pixels.ndim == 2 else pixels, 1.0, SIZE)


def print_ranges(found: list[Labelled]) -> None:
    """Cost and range of each technique."""
    print("| technique | recogniser | s an image | labels | lowest | median | highest |")
    print("|---|---|---|---|---|---|---|")
    for each in found:
        values = np.array(list(each.labels.values()))
        low, middle, high = (f"{v:.4g}" for v in np.percentile(values, [0, 50, 100]))
        print(
            f"| {each.technique} | {each.recogniser} | {each.seconds:.4f} | {len(values)} "
            f"| {low} | {middle} | {high} |"
        )


def print_correlations(found: list[Labelled]) -> None:
    """Spearman rank correlation between techniques with one recogniser."""
    print(f"\nSpearman rank correlation, {found[0].recogniser}\n")
    print(f"| | {' | '.join(each.technique for each in found)} |\n|---|{'---|' * len(found)}")
    for one in found:
        print(f"| {one.technique} | {' | '.join(f'{rank(one, each):.2f}' for each in found)} |")


def print_across(found: list[Labelled]) -> None:
    """Spearman rank correlation of each technique between the first two recognisers."""
    names = list(dict.fromkeys(each.recogniser for each in found))[:2]
    if len(names) < 2:
        return
    print(f"\nSpearman rank correlation of a technique with {names[0]} and with {names[1]}\n")
    for technique in dict.fromkeys(each.technique for each in found):
        pair = [each for each in found if each.technique == technique and each.recogniser in names]
        print(f"- {technique} {rank(*pair):.2f}")


def rank(one: Labelled, other: Labelled) -> float:
    """Spearman rank correlation on the pictures that both label."""
    shared = [path for path in one.labels if path in other.labels]
    values = [[each.labels[path] for path in shared] for each in (one, other)]
    return float(spearmanr(*values).statistic)


def print_nonsense(found: list[Labelled], invented: dict[str, Pixels]) -> None:
    """Where labels of nonsense lie: place in the range of the real ones; share of them below."""
    print("\nNonsense: place in the range of real labels (share of real labels below)\n")
    heads = [f"{each.technique} {each.recogniser}" for each in found]
    print(f"| picture | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for name, pixels in invented.items():
        flat = " (blank)" if framing.blank(pixels) else ""
        print(f"| {name}{flat} | {' | '.join(place(each, name) for each in found)} |")


def place(each: Labelled, name: str) -> str:
    """One cell; in bold in the upper half."""
    values, value = np.array(list(each.labels.values())), each.nonsense[name]
    if not np.isfinite(value):
        return "none"
    at = (value - values.min()) / np.ptp(values)
    cell = f"{at:.2f} ({np.mean(values < value):.0%})"
    return f"**{cell}**" if at > 0.5 else cell


def write(folder: Path, each: Labelled) -> None:
    """Labels as a table of plain scores, and what else is known beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"{each.technique}-{each.recogniser}.csv"
    facts = {"seconds": each.seconds, "nonsense": each.nonsense}
    out.with_suffix(".json").write_text(json.dumps(facts))
    with out.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "score"))
        writer.writerows((path, repr(value)) for path, value in each.labels.items())


def written(folder: Path, technique: str, recogniser: str) -> Labelled | None:
    """What an earlier run has written."""
    out = folder / f"{technique}-{recogniser}.csv"
    if not out.is_file():
        return None
    with out.open(newline="") as file:
        labels = {row["path"]: float(row["score"]) for row in csv.DictReader(file)}
    facts = json.loads(out.with_suffix(".json").read_text())
    return Labelled(technique=technique, recogniser=recogniser, labels=labels, **facts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recognisers", type=Path, nargs="+", required=True)
    parser.add_argument("--techniques", nargs="+", help="default: all")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--split", default="train+validation")
    parser.add_argument("--nonsense", action="store_true")
    parser.add_argument("--threads", type=int, help="default: all cores")
    parser.add_argument("--write", type=Path, help="folder for tables path,score")
    parser.add_argument("--set", action="append", default=[], help="technique:constant=value")
    parser.add_argument("--diffusion", type=Path, help="a run of the recipe difiqa")
    return parser.parse_args()


if __name__ == "__main__":
    main()
