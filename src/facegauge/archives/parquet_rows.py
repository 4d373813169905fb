"""The pictures in a Parquet file: one a row, in a column of encoded files; a page in memory.

The column has bytes or, as HuggingFace writes it, ``struct<bytes, path>``. A name comes from a
column such as ``path`` or ``key``, else from the struct's path, else it is ``row-0``, ``row-1``...

A page is what the file's writer made it: mostly some megabytes, never more than a row group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from facegauge.archives.members import Container, DamagedArchive, Member
from facegauge.score_parquet import load_pyarrow

IMAGE_COLUMNS = (
    *("image", "img", "picture", "photo", "face", "jpg", "jpeg", "png", "webp"),
    *("bytes", "image_bytes", "content", "data"),
)
"""Which of several columns of bytes has the pictures: the first of these."""
NAME_COLUMNS = (
    *("path", "name", "file_name", "filename", "file", "key", "__key__"),
    *("image_path", "image_name", "image_id", "id"),
)
"""Which column names the pictures: the first of these that has texts or whole numbers."""

ROWS = 16
"""Rows read at a time."""
_BUFFER = 1 << 20


def parquet_rows(container: Container) -> Iterator[Member]:
    """The pictures of a file, one a row.

    Raises:
        MissingExtra: pyarrow is not installed.
        DamagedArchive: no column of encoded pictures.
        OSError, pyarrow.ArrowException: no Parquet, or damaged; after the rows before that.
    """
    arrow = load_pyarrow("reading pictures from .parquet")
    opened = partial(arrow.parquet.ParquetFile, buffer_size=_BUFFER, pre_buffer=False)
    with container.open() as handle, opened(handle) as file:
        columns = _Columns.of(file.schema_arrow, arrow.types)
        batches = file.iter_batches(ROWS, columns=columns.read, use_threads=False)
        records = (record for batch in batches for record in batch.to_pylist())
        for number, record in enumerate(records):
            yield columns.member(record, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    image: str
    name: str | None

    @classmethod
    def of(cls, schema: Any, types: Any) -> _Columns:
        names = [field.name for field in schema if _is_name(field.type, types)]
        images = [field.name for field in schema if _is_image(field.type, types)]
        known = [name for name in IMAGE_COLUMNS if name in images]
        if not known and len(images) != 1:
            came = f"{len(images)} of them" if images else "none"
            raise DamagedArchive(
                "expected a column of encoded pictures (bytes, or struct<bytes, path>), got "
                f"{came} in {', '.join(schema.names)[:300]}; name one of them {IMAGE_COLUMNS[0]}"
            )
        name = next((name for name in NAME_COLUMNS if name in names), None)
        return cls(image=(known or images)[0], name=name)

    @property
    def read(self) -> list[str]:
        return [self.image, *([] if self.name is None else [self.name])]

    def member(self, record: dict[str, Any], number: int) -> Member:
        value = record[self.image]
        value = value if isinstance(value, dict) else {"bytes": value}
        content, told = value["bytes"], value.get("path")
        known = record.get(self.name) if self.name is not None else None
        name = known if known not in (None, "") else told or f"row-{number}"
        if content is None:
            return Member(name=str(name), problem="no picture in this row, only an empty cell")
        return Member(name=str(name), size=len(content), read=lambda: content, passing=True)


def _is_name(kind: Any, types: Any) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind))


def _is_image(kind: Any, types: Any) -> bool:
    if types.is_struct(kind):
        return any(field.name == "bytes" and _is_image(field.type, types) for field in kind)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))
