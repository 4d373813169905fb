"""Benchmark sets in the layouts in which people have them: ``open`` reads any of them.

    found = benchmark.open("data/lfw")               # recognises the layout by itself
    found = benchmark.open("data/lfw", layout="lfw") # insists, and says what is missing

Nothing is downloaded and nothing is unpacked; the docstrings of set_lfw, set_insightface,
set_adience, set_ijb and set_folder say what is expected of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facegauge.choices import named
from facegauge.errors import InputError
from facegauge.evaluate import set_adience, set_folder, set_ijb, set_insightface, set_lfw
from facegauge.evaluate.set_files import Expected
from facegauge.evaluate.sets import BenchmarkSet, Layout, Templates

__all__ = ["EXPECTED", "BenchmarkSet", "Layout", "Templates", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    expected: Expected
    recognises: Callable[[Path], bool]
    read: Callable[[Path, Path | None], BenchmarkSet]


_READERS = {
    Layout.LFW: _Reader(
        expected=set_lfw.LFW, recognises=set_lfw.recognises_lfw, read=set_lfw.read_lfw
    ),
    Layout.XQLFW: _Reader(
        expected=set_lfw.XQLFW, recognises=set_lfw.recognises_xqlfw, read=set_lfw.read_xqlfw
    ),
    Layout.INSIGHTFACE: _Reader(
        expected=set_insightface.INSIGHTFACE,
        recognises=set_insightface.recognises,
        read=set_insightface.read,
    ),
    Layout.ADIENCE: _Reader(
        expected=set_adience.ADIENCE, recognises=set_adience.recognises, read=set_adience.read
    ),
    Layout.IJB: _Reader(expected=set_ijb.IJB, recognises=set_ijb.recognises, read=set_ijb.read),
    Layout.FOLDER: _Reader(
        expected=set_folder.FOLDER, recognises=set_folder.recognises, read=set_folder.read
    ),
}

EXPECTED = {layout: reader.expected.form for layout, reader in _READERS.items()}
"""What each layout consists of, in words."""


def open(
    path: Path | str, layout: Layout | str | None = None, *, images: Path | str | None = None
) -> BenchmarkSet:
    """Read a benchmark set.

    Args:
        path: the folder of the set; an InsightFace ``.bin``; or the list of pairs or table of
            identities itself.
        layout: one of ``Layout``; None recognises it by the files that are there.
        images: the folder of the pictures, where it is not the one expected.

    Raises:
        InputError: no layout fits, several do, or the set is incomplete; the message names what
            is expected.
        OptionError: an unknown layout.
    """
    place, pictures = Path(path), None if images is None else Path(images)
    chosen = _recognised(place) if layout is None else named(Layout, layout, "layout")
    if not place.exists():
        raise _READERS[chosen].expected.error(place, "it does not exist", "Check the path.")
    return _READERS[chosen].read(place, pictures)


def _recognised(path: Path) -> Layout:
    found = [layout for layout, reader in _READERS.items() if reader.recognises(path)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"Expected a set in one layout in {path}, got the files of {' and '.join(found)}. "
            "Pass the layout that is meant."
        )
    forms = "; ".join(f"{layout}: {form}" for layout, form in EXPECTED.items())
    came = "none of these" if path.exists() else "nothing: it does not exist"
    raise InputError(f"Expected a benchmark set in {path}, got {came}. Known layouts: {forms}.")
