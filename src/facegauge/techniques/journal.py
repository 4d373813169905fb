"""The journal of a labelling under way: what was measured so far, one line a picture.

The first line says what the run is. A process may be killed at any moment: opened again, an
incomplete last line is cut off and the run goes on behind it.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from facegauge.errors import OptionError
from facegauge.pictures import LeftOut
from facegauge.techniques.technique import ZEROS, Measured, Rows


class Journal:
    """An open journal; ``begin`` makes one on disk, ``Journal()`` one in memory."""

    def __init__(self, file: BinaryIO | None = None) -> None:
        self._file = io.BytesIO() if file is None else file
        self._done = {entry["path"] for entry in self._entries()}

    def __contains__(self, path: str) -> bool:
        """Whether a picture is done."""
        return path in self._done

    def add(self, paths: Sequence[str], rows: Sequence[npt.NDArray[np.float32] | str]) -> None:
        """Note what was measured of pictures, or why nothing was; those that are done stay so."""
        fresh = [
            (path, row) for path, row in zip(paths, rows, strict=True) if path not in self._done
        ]
        self._done.update(path for path, _ in fresh)
        self._file.write(b"".join(_line(path, row) for path, row in fresh))
        self._file.flush()

    def measured(self) -> tuple[Measured, tuple[LeftOut, ...]]:
        """All that was measured, and the pictures without, in the order they were noted."""
        paths: list[str] = []
        values: list[Rows] = []
        left_out = []
        for entry in self._entries():
            row = _row(entry)
            reason = entry.get("reason") or ("" if np.isfinite(row).all() else ZEROS)
            if reason:
                left_out.append(LeftOut(path=entry["path"], reason=reason))
            else:
                paths.append(entry["path"])
                values.append(row)
        stacked = np.stack(values) if values else np.empty((0, 1), dtype=np.float32)
        return Measured(paths=tuple(paths), values=stacked), tuple(left_out)

    def close(self) -> None:
        """Close the file; what was noted stays."""
        self._file.close()

    def _entries(self) -> Iterator[dict[str, Any]]:
        self._file.seek(0)
        for line in self._file:
            entry = json.loads(line)
            if "path" in entry:
                yield entry


@contextmanager
def kept(out: Path, run: Mapping[str, Any], *, resume: bool) -> Iterator[Journal]:
    """The journal beside a table that is being made, ``out.partial.jsonl``, as ``begin`` opens it.

    It is removed when all is done, and stays where something went wrong.

    Raises:
        OptionError: as ``begin``.
    """
    path = out.with_name(out.name + ".partial.jsonl")
    journal = begin(path, run, resume=resume)
    try:
        yield journal
    finally:
        journal.close()
    path.unlink()


def begin(path: Path, run: Mapping[str, Any], *, resume: bool) -> Journal:
    """A new journal, or with ``resume`` the one that is there.

    Raises:
        OptionError: one is there and ``resume`` is not set, or it is of another run; or there is
            no place to write.
    """
    heading = json.dumps(run, sort_keys=True).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(heading)
        elif not resume:
            raise OptionError(
                f"Expected no unfinished labelling, found {path}. Pass --resume to go on with it, "
                "or remove it."
            )
        else:
            _repair(path, heading)
        return Journal(path.open("r+b"))
    except OSError as error:
        raise OptionError(
            f"Labels need a place to write, got {path.parent}: {error.strerror or error}. Pass "
            "another --out."
        ) from error


def _repair(path: Path, heading: bytes) -> None:
    """Cut off an incomplete last line; refuse a journal of another run."""
    if path.stat().st_size < len(heading) and heading.startswith(path.read_bytes()):
        path.write_bytes(heading)
        return
    with path.open("r+b") as file:
        first = file.readline()
        if first != heading:
            raise OptionError(
                f"{path} is of another run: expected {heading.decode().strip()}, got "
                f"{first[:1000].decode('utf-8', 'replace').strip()}. Pass the same options, or "
                "remove it."
            )
        end = file.tell()
        for line in file:
            if not line.endswith(b"\n"):
                break
            end += len(line)
        file.truncate(end)


def _line(path: str, row: npt.NDArray[np.float32] | str) -> bytes:
    if isinstance(row, str):
        return json.dumps({"path": path, "reason": row}).encode() + b"\n"
    packed = base64.b64encode(row.astype("<f4").tobytes()).decode()
    return json.dumps({"path": path, "values": packed}).encode() + b"\n"


def _row(entry: Mapping[str, Any]) -> Rows:
    """What was measured of one picture, float32 K; empty where nothing was."""
    packed = base64.b64decode(entry.get("values", ""))
    return np.frombuffer(packed, dtype="<f4").astype(np.float32)
