"""Where a picture's own file goes: below a folder, under the picture's name in tables."""

from __future__ import annotations

from pathlib import Path

from facegauge.errors import OptionError


def below(out: Path, name: str) -> Path:
    """The place below ``out`` that ``name`` stands for; a leading ``/`` is dropped.

    Raises:
        OptionError: it would be outside of ``out``.

    Example:
        >>> below(Path("crops"), "/photos/anna/1.jpg").as_posix()
        'crops/photos/anna/1.jpg'
    """
    relative = Path(name.lstrip("/"))
    if ".." in relative.parts:
        raise OptionError(f"{name} would be written outside {out}; pass its folder instead.")
    return out / relative
