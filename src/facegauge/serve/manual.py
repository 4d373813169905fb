"""The service's documentation as one page: drawn from its OpenAPI description, with no script.

Nothing on it comes from elsewhere, so it works without a network and tells nobody who reads it.
The description itself, /openapi.json, is what other tools read.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from facegauge.serve.problems import Problem

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { background: #f4f4f4; color: #111; padding: 1rem; overflow-x: auto }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { border-bottom: 1px solid #ccc; padding: .3rem .8rem .3rem 0; text-align: left;
         vertical-align: top }
"""
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
"""Content-Security-Policy of the page: its own style and nothing else."""

_HEAD = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>facegauge</title><style>"""


def page(description: Mapping[str, Any]) -> str:
    """The documentation of an OpenAPI description, as HTML."""
    info = description["info"]
    told = [
        f"{_HEAD}{_STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{escape(info['description'])}</p>",
        '<p>For tools: <a href="/openapi.json">openapi.json</a></p>',
    ]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            told += _operation(f"{method.upper()} {path}", operation)
    return "\n".join([*told, *_answers(description), *_problems(), "</body></html>"])


def _operation(title: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{escape(title)}</code></h2>"
    for paragraph in operation.get("description", "").split("\n\n"):
        yield f"<p>{escape(paragraph)}</p>"
    for sample in operation.get("x-codeSamples", ()):
        yield f"<pre>{escape(sample['source'])}</pre>"
    rows = [
        (each["name"], _values(each["schema"]), each.get("description", ""))
        for each in operation.get("parameters", ())
    ]
    if rows:
        yield _table(("parameter", "values", ""), rows)
    told = [(status, each["description"]) for status, each in operation["responses"].items()]
    yield _table(("status", "meaning"), told)


def _values(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("anyOf", (schema,))
    return ", ".join(
        ", ".join(map(str, kind["enum"])) if "enum" in kind else str(kind.get("type", ""))
        for kind in kinds
        if kind.get("type") != "null"
    )


def _answers(description: Mapping[str, Any]) -> Iterator[str]:
    """The example that each answer's schema comes with."""
    for name, schema in description["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            told = json.dumps(example, indent=1)
            yield f"<h2>{escape(name)}, for example</h2><pre>{escape(told)}</pre>"


def _problems() -> Iterator[str]:
    yield "<h2>Problems</h2><p>application/problem+json, RFC 9457; <code>type</code> is one of</p>"
    yield "<table><tr><th>type</th><th>status</th><th></th></tr>"
    for each in Problem:
        cells = (f"<code>{escape(each.uri)}</code>", str(each.status), escape(each.title))
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        yield f'<tr id="{escape(each.word)}">{row}</tr>'
    yield "</table>"


def _table(heading: tuple[str, ...], rows: list[Any]) -> str:
    top = "".join(f"<th>{escape(each)}</th>" for each in heading)
    lines = ["".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows]
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
