"""The command line of many machines: score --engine ray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facegauge.batch import Summary
from facegauge.errors import OptionError, needing
from facegauge.terminal import counting


def on_ray(
    paths: Sequence[str],
    out: Path | None,
    asked: Mapping[str, Any],
    *,
    draw: Path | None,
    **options: Any,
) -> Summary:
    """Score on a cluster; ``asked`` are the fields of ``scale.Asked``, options ``score_on_ray``'s.

    Raises:
        OptionError: no ``out``, or ``draw``; else as ``score_on_ray``.
        MissingExtra: ray is not installed.
    """
    if out is None or draw is not None:
        raise OptionError(
            "--engine ray writes a folder of parquet files and draws nothing, got "
            f"{'no --out' if out is None else '--draw'}. Pass --out DIR, and no --draw."
        )
    with needing("scale", "facegauge score --engine ray"):
        from facegauge import scale
    with counting("images") as count:
        return scale.score_on_ray(
            paths, asked=scale.Asked(**asked), out=out, progress=count, **options
        )
