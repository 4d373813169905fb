"""Embeddings of many pictures: what ``facegauge embed`` writes and every comparison reads."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, OptionError, TableError
from facegauge.tables import same_path

LENGTH_TOLERANCE = 1e-3
"""How far from 1 the length of an embedding may be: what half precision leaves, and more."""

_KEYS = ("paths", "embeddings")
_EXPECTED = "an .npz with paths (N strings) and embeddings (N×D float32, each of length 1)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embeddings:
    """One unit-length embedding for each of N pictures.

    ``paths`` are the pictures' names in tables, each once; ``values`` is float32, N×D, every row
    of length 1 within ``LENGTH_TOLERANCE``, so that an inner product is a cosine (-1..1).

    Raises:
        InputError: paths and values that do not belong together, a path twice, or a row that is
            not finite or not of length 1.
    """

    paths: tuple[str, ...]
    values: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", tuple(self.paths))
        if self.values.ndim != 2 or len(self.values) != len(self.paths):
            raise InputError(
                f"Expected one embedding for each of {len(self.paths)} paths, N×D, got "
                f"{self.values.shape}. Give both in the same order."
            )
        if self.values.dtype != np.float32:
            raise InputError(f"Expected embeddings of float32, got {self.values.dtype}. Convert.")
        _refuse_twice(self.paths)
        _refuse_lengths(self.values)

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.paths)

    @classmethod
    def normalised(cls, paths: Sequence[str], values: npt.ArrayLike) -> Embeddings:
        """Embeddings of any length, N×D, divided by their Euclidean length.

        Raises:
            InputError: as for the class; a row of zeros has no direction and is refused too.

        Example:
            >>> Embeddings.normalised(["a.jpg"], [[3.0, 4.0]]).values.tolist()
            [[0.6000000238418579, 0.800000011920929]]
        """
        array = np.asarray(values, dtype=np.float64)
        lengths = np.linalg.norm(array, axis=-1, keepdims=True)
        unit = array / np.where(lengths > 0, lengths, 1.0)
        return cls(paths=tuple(paths), values=unit.astype(np.float32))

    def rows(self, paths: Iterable[str]) -> npt.NDArray[np.int32]:
        """The row of each path, int32; -1 where there is none (a picture without a face)."""
        places = {same_path(path): row for row, path in enumerate(self.paths)}
        return np.array([places.get(same_path(path), -1) for path in paths], dtype=np.int32)

    def save(self, path: Path | str) -> None:
        """Write the ``.npz``: ``paths``, N unicode strings, and ``embeddings``, N×D float32.

        Raises:
            OptionError: the file exists already, or there is no place to write.
        """
        out = Path(path)
        if out.exists():
            raise OptionError(f"{out} exists already and is not overwritten. Choose another --out.")
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            with out.open("xb") as file:
                np.savez(file, paths=np.array(self.paths, dtype=np.str_), embeddings=self.values)
        except OSError as error:
            raise OptionError(
                f"The embeddings need a place to write, got {out}: {error.strerror or error}. "
                "Pass another --out."
            ) from error


def read(path: Path | str) -> Embeddings:
    """Read what ``Embeddings.save`` or another tool wrote in the same form; runs no pickle.

    Raises:
        TableError: no such file, or not in that form.
    """
    source = Path(path)
    arrays = _arrays(source)
    paths, values = (arrays[key] for key in _KEYS)
    if paths.dtype.kind != "U" or paths.ndim != 1:
        got = f"paths of {paths.dtype} {paths.shape}"
        raise _unexpected(source, got, "Save them with numpy as a list of str.")
    try:
        return Embeddings(paths=tuple(paths.tolist()), values=values)
    except InputError as error:
        raise _unexpected(source, f"this: {error}", "Write it anew with facegauge embed.") from None


def _arrays(source: Path) -> dict[str, npt.NDArray[Any]]:
    """The two arrays of a file; whatever is wrong with it becomes a TableError."""
    remedy = "Make it with facegauge embed, or check the path."
    try:
        with source.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                raise _unexpected(source, "a single array", remedy)
            missing = [key for key in _KEYS if key not in stored.files]
            if missing:
                came = f"one with {', '.join(stored.files) or 'nothing'}"
                raise _unexpected(source, came, f"Add {' and '.join(missing)}.")
            return {key: np.asarray(stored[key]) for key in _KEYS}
    except OSError as error:
        raise _unexpected(source, error.strerror or str(error), remedy) from error
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        came = "pickled objects" if "pickle" in str(error) else f"another file ({error})"
        raise _unexpected(source, came, remedy) from error


def _unexpected(source: Path, got: str, remedy: str) -> TableError:
    return TableError(f"Expected {_EXPECTED} in {source}, got {got}. {remedy}")


def _refuse_twice(paths: Sequence[str]) -> None:
    if len(set(paths)) < len(paths):
        twice = Counter(paths).most_common(1)[0][0]
        raise InputError(f"Expected every path once, got {twice!r} twice. Remove one of the two.")


def _refuse_lengths(values: npt.NDArray[np.float32]) -> None:
    """Refuse rows that are not of length 1, nan and infinities among them."""
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(np.einsum("nd,nd->n", values, values))
    wrong = np.flatnonzero(~(np.abs(lengths - 1.0) <= LENGTH_TOLERANCE))
    if wrong.size:
        raise InputError(
            f"Expected embeddings of length 1, got {wrong.size} others; row {wrong[0]} has length "
            f"{lengths[wrong[0]]:.4g}. Use Embeddings.normalised, and leave failed pictures out."
        )
