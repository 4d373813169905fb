"""Parts of reports beside curves: numbers as a table, a plot as a picture, files in a folder."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from facegauge.errors import OptionError
from facegauge.evaluate.report_html import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def numbers(
    anchor: str, heading: str, head: Sequence[str], rows: Iterable[Sequence[str]]
) -> Section:
    """A table of text cells; the first cell of a row names it."""
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = ""
    for first, *others in rows:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in others)
        body += f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>'
    table = f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"
    return Section(anchor=anchor, heading=heading, body=f'<div class="scroll">{table}</div>')


def picture(anchor: str, heading: str, figure: Figure, says: str) -> Section:
    """A matplotlib figure as PNG inside the page; ``says`` is read out in its place."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=150)
    coded = base64.b64encode(data.getvalue()).decode("ascii")
    image = f'<img style="max-width:100%" src="data:image/png;base64,{coded}" alt="{escape(says)}">'
    return Section(anchor=anchor, heading=heading, body=f"<figure>{image}</figure>")


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in markdown, the first column left, numbers right.

    Example:
        >>> print(markdown(["what", "value"], [["spread", "1.2"]]))
        | what | value |
        | --- | ---: |
        | spread | 1.2 |
    """
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *rows])


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as csv."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([head, *rows])
    return text.getvalue()


def write_files(out: Path | str, files: Mapping[str, str]) -> None:
    """Write texts into a folder that is made; files of the same name are replaced.

    Raises:
        OptionError: the folder cannot be written.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OptionError(
            f"A report needs a folder to write, got {folder}: {error.strerror or error}. Pass "
            "another --out."
        ) from error
