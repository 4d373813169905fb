"""Many paths in one buffer: for tables of millions of rows, without a Python object for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Names:
    """N paths in one buffer: path i ends at ``ends[i]`` and begins where the one before it ends.

    Example:
        >>> names = Names.of(["a.jpg", "b/c.jpg"])
        >>> len(names), names[1]
        (2, 'b/c.jpg')
    """

    data: bytearray
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, paths: Iterable[str]) -> Names:
        """The names of N paths."""
        data, ends = bytearray(), array("q")
        for path in paths:
            data += path.encode("utf-8", "surrogateescape")
            ends.append(len(data))
        return cls(data=data, ends=np.array(ends, dtype=np.int64))

    def coded(self, row: int) -> bytes:
        """The path of a row as bytes; they sort as the paths do, by code points."""
        start = self.ends[row - 1] if row else 0
        return bytes(self.data[start : self.ends[row]])

    def __getitem__(self, row: int) -> str:
        return self.coded(row).decode("utf-8", "surrogateescape")

    def __len__(self) -> int:
        """How many rows."""
        return len(self.ends)

    def __iter__(self) -> Iterator[str]:
        return (self[row] for row in range(len(self)))
