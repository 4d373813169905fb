"""Groups of pictures, for how subgroups fare: a csv ``path,group``."""

from __future__ import annotations

import csv
from pathlib import Path

from facegauge.errors import TableError
from facegauge.tables import same_path

GROUP_COLUMNS = ("path", "group")


def read_groups(path: Path | str) -> dict[str, str]:
    """Read a csv ``path,group``, other columns are passed over; an empty group is none.

    Raises:
        TableError: no such file, columns missing, a short line, or two groups for one path.
    """
    table = Path(path)
    groups: dict[str, str] = {}
    try:
        with table.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
            rows = csv.DictReader(handle, strict=True)
            columns = [name.strip() for name in rows.fieldnames or ()]
            if any(columns.count(name) != 1 for name in GROUP_COLUMNS):
                raise _error(table, f"the first line {','.join(columns)[:200]!r}")
            rows.fieldnames = columns
            for row in rows:
                _add(groups, row["path"], row["group"], f"{table}, line {rows.line_num}")
    except OSError as error:
        raise _error(table, error.strerror or str(error)) from error
    except csv.Error as error:
        raise _error(table, f"text that is not csv ({error})") from error
    return groups


def _add(groups: dict[str, str], path: str | None, group: str | None, where: str) -> None:
    if not path or group is None:
        raise TableError(
            f"{where}: expected a path and a group, got a line without one. Complete or remove it."
        )
    name = group.strip()
    if name and groups.setdefault(same_path(path), name) != name:
        raise TableError(
            f"{where}: expected one group for {path!r}, got {groups[same_path(path)]!r} before and "
            f"{name!r} here. Keep one of the lines."
        )


def _error(table: Path, got: str) -> TableError:
    return TableError(
        f"Expected a csv with the columns {','.join(GROUP_COLUMNS)} in {table}, got {got}. "
        "Check the path, and name the columns in the first line."
    )
