"""Archives of a folder's files, in the order of a walk: what tests read without unpacking."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

ENDINGS = ("tar", "tar.gz", "tgz", "zip", "parquet")


def files(folder: Path) -> list[Path]:
    """Every file below a folder, sorted as a walk goes."""
    found: list[Path] = []
    for entry in sorted(folder.iterdir(), key=lambda path: path.name):
        found += files(entry) if entry.is_dir() and not entry.is_symlink() else [entry]
    return found


def packed(folder: Path, out: Path) -> Path:
    """The folder's files in one archive, whose kind its suffix says."""
    named = {path.relative_to(folder).as_posix(): path for path in files(folder)}
    if out.suffix == ".zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, path in named.items():
                archive.write(path, name)
    elif out.suffix == ".parquet":
        table(out, {name: path.read_bytes() for name, path in named.items()})
    else:
        with tarfile.open(out, "w" if out.suffix == ".tar" else "w:gz") as archive:
            for name, path in named.items():
                archive.add(path, name)
    return out


def table(out: Path, content: dict[str, bytes | None], *, group: int = 3) -> Path:
    """A Parquet file of pictures with their paths."""
    import pyarrow
    import pyarrow.parquet

    columns = {"path": list(content), "image": list(content.values())}
    schema = pyarrow.schema([("path", pyarrow.string()), ("image", pyarrow.binary())])
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=schema), out, row_group_size=group)
    return out
