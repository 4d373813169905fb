"""A folder of pictures with an ``identities.csv``: the layout for a set of one's own.

``identities.csv`` (``path,identity``) names every picture of the set by its path below the folder;
pictures that are not in it are no part of the set. Beside it may lie ``pairs.csv``
(``path_a,path_b,mated``), the pairs to compare, and ``landmarks.csv`` (see tables).
"""

from __future__ import annotations

from pathlib import Path

from facegauge.evaluate.pairs import Pairs, read_pairs
from facegauge.evaluate.set_files import Expected, refuse_missing
from facegauge.evaluate.sets import BenchmarkSet, Layout
from facegauge.tables import read_identities, read_landmarks

FOLDER = Expected(
    name=Layout.FOLDER,
    form="pictures and an identities.csv with the columns path,identity; pairs.csv and "
    "landmarks.csv if there are some",
)


def recognises(path: Path) -> bool:
    """Whether there is an identities.csv."""
    return _table_in(path).is_file()


def read(path: Path, images: Path | None = None) -> BenchmarkSet:
    """Read the folder that has ``identities.csv``, or that file; pictures below it or ``images``.

    Raises:
        InputError: the table is missing or empty, or pictures it names are.
    """
    table = _table_in(path)
    if not table.is_file():
        raise FOLDER.error(path, "there is no identities.csv")
    identities = read_identities(table)
    folder = images or table.parent
    if not identities:
        raise FOLDER.error(path, "identities.csv names no picture", "Fill it in.")
    missing = [name for name in identities if not (folder / name).is_file()]
    refuse_missing(missing, len(identities), folder, FOLDER)
    landmarks = table.with_name("landmarks.csv")
    return BenchmarkSet(
        name=table.parent.resolve().name,
        layout=Layout.FOLDER,
        names=tuple(identities),
        images=tuple(folder / name for name in identities),
        identities=tuple(identities.values()),
        pairs=_pairs(table.with_name("pairs.csv"), tuple(identities)),
        landmarks=read_landmarks(landmarks) if landmarks.is_file() else None,
    )


def _table_in(path: Path) -> Path:
    return path if path.suffix == ".csv" else path / "identities.csv"


def _pairs(table: Path, names: tuple[str, ...]) -> Pairs | None:
    """The pairs of a table by the places of their pictures in the set."""
    if not table.is_file():
        return None
    read = read_pairs(table)
    places = {name: place for place, name in enumerate(names)}
    missing = [path for path in read.paths if path not in places]
    if missing:
        got = f"pairs.csv names {missing[0]!r}, which is not in identities.csv"
        raise FOLDER.error(table.parent, got, "Add it there, or remove the pair.")
    return read.pairs.placed([places[path] for path in read.paths])
