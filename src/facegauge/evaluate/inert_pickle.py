"""Pickles of others, read without running anything in them.

A pickle can run any program. Here containers, numbers and texts come out as they are; the few names
that numpy's arrays and numbers need are replaced by stand-ins that only keep bytes, and every other
name is refused before anything is done with it.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facegauge.errors import FacegaugeError, InputError

Refuse = Callable[[str], FacegaugeError]
"""Makes the error for a name, such as ``os.system``, that a pickle asks for."""
_KINDS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")
"""Types of numbers, by numpy's code."""


def unpickled(data: bytes, refuse: Refuse, encoding: str = "bytes") -> object:
    """What a pickle holds, numpy's arrays and numbers as ``StoredArray``.

    Args:
        data: the file.
        refuse: what is raised for a name that is none of numpy's arrays.
        encoding: of the texts that Python 2 wrote; ``bytes`` leaves them bytes.

    Raises:
        FacegaugeError: what ``refuse`` makes, or a pickle that sets what it must not.
        Exception: a broken pickle fails in a dozen ways.
    """
    return _Inert(io.BytesIO(data), refuse, encoding).load()


@dataclass(slots=True)
class StoredType:
    """A stand-in for numpy.dtype: its code, such as u1, and its byte order."""

    code: object
    align: object = False
    copy: object = False
    order: object = "<"

    def __setstate__(self, state: Sequence[object]) -> None:
        """Numpy's state: version, byte order, and what only records have."""
        self.order = state[1]


@dataclass(slots=True)
class StoredArray:
    """A stand-in for a numpy array or number: its type, shape, bytes, and whether columns lead."""

    type: object = None
    data: object = b""
    shape: object = ()
    columns: object = False

    def __setstate__(self, state: tuple[object, ...]) -> None:
        """Numpy's state: version, shape, type, Fortran order, data."""
        _, self.shape, self.type, self.columns, self.data = state

    @property
    def code(self) -> str:
        """Numpy's code of the type without byte order, such as u1; empty for none."""
        code = self.type.code if isinstance(self.type, StoredType) else ""
        text = code.decode("latin1") if isinstance(code, bytes) else str(code)
        return text.lstrip("|<>=")

    def numbers(self) -> npt.NDArray[Any]:
        """The array itself.

        Raises:
            ValueError: it holds anything but numbers, or bytes that do not fit its shape.
        """
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        if self.code not in _KINDS or not isinstance(data, bytes | bytearray):
            raise ValueError(f"an array of {self.code or 'nothing known'} in place of numbers")
        order = self.type.order if isinstance(self.type, StoredType) else "<"
        mark = ">" if order in (">", b">") else "<"
        flat = np.frombuffer(data, dtype=np.dtype(mark + self.code))
        shape = tuple(int(side) for side in self.shape) if isinstance(self.shape, tuple) else ()
        return flat.reshape(shape, order="F" if self.columns else "C")


class _Name:
    """What a file gets for a name: callable, and closed to whatever the file wants to set on it."""

    __slots__ = ("_stands_for",)

    def __init__(self, stands_for: Callable[..., object]) -> None:
        self._stands_for = stands_for

    def __call__(self, *values: object) -> object:
        return self._stands_for(*values)

    def __setstate__(self, state: object) -> None:
        """Refuse: no file of this form changes what a name is."""
        raise InputError("Expected a file that changes no name of numpy; the file is broken.")


def _begun(*ignored: object) -> StoredArray:
    return StoredArray()


def _of_buffer(data: object, type: object, shape: object = (), order: object = "C") -> StoredArray:
    return StoredArray(type=type, data=data, shape=shape, columns=order in ("F", b"F"))


def _of_scalar(type: object, data: object = b"") -> StoredArray:
    return StoredArray(type=type, data=data)


def _encoded(text: object, encoding: object = "latin1") -> bytes:
    """Bytes as Python 3 writes them for Python 2: latin-1 text."""
    if isinstance(text, str) and encoding in ("latin1", b"latin1"):
        return text.encode("latin1")
    raise InputError("Expected latin-1 text in place of bytes; the file is broken.")


_CORES = ("numpy.core", "numpy._core")
_STAND_INS: dict[tuple[str, str], Callable[..., object]] = {
    **{(f"{core}.multiarray", "_reconstruct"): _begun for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): _of_scalar for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): _of_buffer for core in _CORES},
    ("numpy", "ndarray"): _begun,
    ("numpy", "dtype"): StoredType,
    ("_codecs", "encode"): _encoded,
}


class _Inert(pickle.Unpickler):
    """An unpickler that runs nothing of what the file names."""

    def __init__(self, stream: io.BytesIO, refuse: Refuse, encoding: str) -> None:
        super().__init__(stream, encoding=encoding)
        self._refuse = refuse

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for one of numpy's names; everything else is refused."""
        known = _STAND_INS.get((module, name))
        if known is None:
            raise self._refuse(f"{module}.{name}")
        return _Name(known)
