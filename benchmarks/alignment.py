"""What AI-KD makes of a technique: pAUC aligned and misaligned, in the form of the paper's table.

    python benchmarks/alignment.py --data DATA --recognisers y1.onnx foamliu.onnx \
        --models norm=RUNS/norm.onnx cr-fiqa=RUNS/cr-fiqa.onnx [--split validation] \
        [--networks cr-fiqa=RUNS/published-cr-fiqa.onnx]

DATA holds ``celeba_crops/`` and ``celeba_crops.csv``; recognisers are model files (``facegauge
models wrap``). ``TECHNIQUE=FILE`` names a model that was trained on labels of a technique; a name
that is no technique (``peer=FILE``) stands alone. One table per recogniser: the technique, AI-KD of
it, and the difference between the two. ``--techniques`` adds techniques without a model.

Recognition always sees properly aligned faces. The quality sees the aligned face, and once more the
face cut from landmarks that are off by up to 3 pixels of a 112-pixel crop, the noise of ``facegauge
evaluate alignment``: techniques label the misaligned crops. Techniques ask the ``--teacher``, by
default the first recogniser. ``difiqa`` preset, FMR 1e-3, pAUC to a discard of 0.3, intervals and
paired differences over people.

Techniques that compare people (cr-fiqa, sdd-fiqa, faceqnet) are told who the judged people are,
which no model is: their rows are what could be known at best, not a rival. ``--networks
TECHNIQUE=FILE`` puts a network in the technique's place, as the paper does with CR-FIQA, FaceQnet
and others; any name will do.

``--keep DIR`` keeps what was labelled, so that another call need not label again.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegauge import models
from facegauge.embedding import embed_pictures
from facegauge.embeddings import Embeddings
from facegauge.evaluate.differences import Difference
from facegauge.evaluate.edc_journey import chosen_preset, evaluate_edc
from facegauge.evaluate.line import Line
from facegauge.evaluate.misalignment import Jitter
from facegauge.evaluate.score_files import ScoreFile
from facegauge.pictures import Cut, Picture, chunks
from facegauge.tables import LandmarkTable, read_identities, read_landmarks, read_plain_scores
from facegauge.techniques import catalogue
from facegauge.techniques.labelling import crop_for, label_pictures
from facegauge.train.faceqan_gradients import attacker

KINDS = ALIGNED, MISALIGNED = ("aligned", "misaligned")
Scores = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """The pictures of a split, who is in them, and their landmarks, by kind of alignment."""

    pictures: list[Picture]
    people: dict[str, str]
    landmarks: dict[str, LandmarkTable]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """Scores of a method by kind of alignment; ``technique`` is what it is to improve."""

    name: str
    scores: dict[str, Scores]
    technique: str = ""


def main() -> None:
    """Print a table for each recogniser in markdown."""
    options = _options()
    faces = read_faces(options)
    taught, networks = (_files(each) for each in (options.models, options.networks))
    names = [*options.techniques, *(name for name in taught if name in catalogue.CONSTANTS)]
    asked = [name for name in dict.fromkeys(names) if name not in networks]
    found = [technique(name, faces, options) for name in asked]
    found += [model(name, file, faces, options) for name, file in networks.items()]
    known = {*asked, *networks}
    found += [
        model(name, file, faces, options, technique=name if name in known else "")
        for name, file in taught.items()
    ]
    print(f"{len(faces.pictures)} pictures of the {options.split} people, seed {options.seed}")
    for recogniser in options.recognisers:
        print_table(recogniser, found, faces, options)


def read_faces(options: argparse.Namespace) -> Faces:
    """The pictures of one split; the misaligned landmarks are the first draw of the noise."""
    table = options.data / "celeba_crops.csv"
    with table.open(newline="") as file:
        names = [row["path"] for row in csv.DictReader(file) if row["split"] == options.split]
    names, known = names[: options.count], read_identities(table)
    clean, jitter = read_landmarks(table), Jitter(relative=True, repeats=2, seed=options.seed)
    rows = {name: clean.of(name)[0] for name in names}
    return Faces(
        pictures=[
            Picture(name=name, source=options.data / "celeba_crops" / name) for name in names
        ],
        people={name: known[name] for name in names},
        landmarks={
            ALIGNED: _table({name: each.array() for name, each in rows.items()}),
            MISALIGNED: _table(
                {name: jitter.moved(each, name)[0].array() for name, each in rows.items()}
            ),
        },
    )


def technique(name: str, faces: Faces, options: argparse.Namespace) -> Method:
    """Labels of aligned and of misaligned crops."""
    path = options.teacher or options.recognisers[0]
    recogniser = models.open(path, threads=options.threads)
    asked = catalogue.make(
        name, recogniser, seed=options.seed, attacker=attacker, threads=options.threads
    )

    def judge(kind: str) -> Scores:
        cut = crop_for(recogniser, landmarks=faces.landmarks[kind])
        found = label_pictures(
            faces.pictures, asked, cut, identities=faces.people, workers=options.threads
        )
        return dict(zip(found.paths, found.values.tolist(), strict=True))

    key = f"{name}-{Path(path).stem}-{options.split}-{options.seed}-{len(faces.pictures)}"
    kinds = (ALIGNED, MISALIGNED)
    return Method(
        name=name, scores={kind: _kept(options, f"{key}-{kind}", judge, kind) for kind in kinds}
    )


def model(
    name: str, path: Path, faces: Faces, options: argparse.Namespace, technique: str = ""
) -> Method:
    """Raw scores of a model file, which may be AI-KD of a technique, by kind of alignment."""
    opened = models.open(path, threads=options.threads)

    def judge(kind: str) -> Scores:
        cut = Cut(crop=opened.card.crop, table=faces.landmarks[kind], detector=None, aligned=False)
        scores: Scores = {}
        with closing(chunks(faces.pictures, cut, workers=options.threads)) as prepared:
            for chunk in prepared:
                seen = {each.name: each.crop for each in chunk if each.crop is not None}
                raw = opened.predict(np.stack(list(seen.values()))).raw.tolist() if seen else []
                scores.update(zip(seen, raw, strict=True))
        return scores

    return Method(
        name=f"AI-KD({name})" if technique else name,
        scores={kind: judge(kind) for kind in KINDS},
        technique=technique,
    )


def print_table(
    recogniser: Path, found: list[Method], faces: Faces, options: argparse.Namespace
) -> None:
    """Methods by kinds of alignment with one recogniser, and the differences in pairs."""
    embedded = embed_pictures(
        faces.pictures,
        recogniser=models.open(recogniser, threads=options.threads),
        landmarks=faces.landmarks[ALIGNED],
        workers=options.threads,
    ).embeddings
    lines = {kind: compared(kind, found, recogniser, embedded, faces, options) for kind in KINDS}
    first = next(iter(lines[ALIGNED][0].values()))
    print(f"\n## {recogniser.stem}: {first.comparisons} mated pairs, {first.errors} errors\n")
    heads = [*KINDS, *(f"{kind}, to the technique" for kind in KINDS)]
    print(f"| method | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for each in found:
        cells = [_cell(lines[kind][0][each.name]) for kind in KINDS]
        cells += [_difference(lines[kind][1].get(each.name)) for kind in KINDS]
        print(f"| {each.name} | {' | '.join(cells)} |")
    taught = [each for each in found if each.technique in {other.name for other in found}]
    if len(taught) > 1:
        print_mean("mean of the techniques", [each.technique for each in taught], lines)
        print_mean("mean of AI-KD of them", [each.name for each in taught], lines)


def print_mean(
    name: str,
    methods: list[str],
    lines: dict[str, tuple[dict[str, Line], dict[str, Difference]]],
) -> None:
    """The mean pAUC of some methods; it has no interval."""
    means = [np.mean([lines[kind][0][each].pauc for each in methods]) for kind in KINDS]
    print(f"| {name} | {' | '.join(f'{mean:.3f}' for mean in means)} | | |")


def compared(
    kind: str,
    found: list[Method],
    recogniser: Path,
    embedded: Embeddings,
    faces: Faces,
    options: argparse.Namespace,
) -> tuple[dict[str, Line], dict[str, Difference]]:
    """The curve of each method, and its difference to the technique it was taught by."""

    def evaluated(methods: list[Method]) -> tuple[tuple[Line, ...], tuple[Difference, ...]]:
        report = evaluate_edc(
            [_score_file(each.name, each.scores[kind]) for each in methods],
            {recogniser.stem: embedded},
            faces.people,
            preset=chosen_preset("difiqa"),
            resamples=options.resamples,
            seed=options.seed,
        )
        return report.lines, report.differences

    lines = {line.method: line for line in evaluated(found)[0]}
    by_name = {each.name: each for each in found}
    pairs = [[by_name[each.technique], each] for each in found if each.technique in by_name]
    return lines, {pair[1].name: evaluated(pair)[1][0] for pair in pairs}


def _score_file(name: str, scores: Scores) -> ScoreFile:
    return ScoreFile(method=name, scores=scores, boxes={}, plain=True)


def _cell(line: Line) -> str:
    if line.pauc is None:
        return "–"
    interval = "" if line.pauc_low is None else f" [{line.pauc_low:.3f}, {line.pauc_high:.3f}]"
    return f"{line.pauc:.3f}{interval}"


def _difference(each: Difference | None) -> str:
    if each is None:
        return ""
    return f"{each.value:+.3f} [{each.low:+.3f}, {each.high:+.3f}] {each.verdict}"


def _files(pairs: list[str]) -> dict[str, Path]:
    return {name: Path(file) for name, _, file in (pair.partition("=") for pair in pairs)}


def _table(points: Mapping[str, np.ndarray]) -> LandmarkTable:
    return LandmarkTable(
        points=np.stack(list(points.values())).reshape(-1, 5, 2),
        following=np.full(len(points), -1, dtype=np.int32),
        first={name: row for row, name in enumerate(points)},
    )


def _kept(
    options: argparse.Namespace, name: str, judge: Callable[[str], Scores], kind: str
) -> Scores:
    """What was labelled before, or is now."""
    if options.keep is None:
        return judge(kind)
    file = options.keep / f"{name}.csv"
    if file.is_file():
        known = read_plain_scores(file)
        return {path: value for path, value in known.items() if value is not None}
    scores = judge(kind)
    options.keep.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as out:
        rows = ((path, repr(value)) for path, value in scores.items())
        csv.writer(out).writerows([("path", "score"), *rows])
    return scores


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recognisers", type=Path, nargs="+", required=True)
    parser.add_argument("--models", nargs="*", default=[], help="TECHNIQUE=FILE.onnx")
    parser.add_argument("--networks", nargs="*", default=[], help="TECHNIQUE=FILE.onnx")
    parser.add_argument("--techniques", nargs="*", default=[], help="beside those of the models")
    parser.add_argument("--teacher", type=Path, help="whom techniques ask; default: the first")
    parser.add_argument("--split", default="validation", choices=("validation", "test"))
    parser.add_argument("--count", type=int, help="the first pictures only")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="default: all cores")
    parser.add_argument("--keep", type=Path, help="folder for labels")
    return parser.parse_args()


if __name__ == "__main__":
    main()
