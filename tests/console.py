"""Run the command line inside the test's own process."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from facegauge import cli


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


class Console:
    """``console("score", folder, "--input", "crop")`` runs one command to its end."""

    def __init__(self, monkeypatch, capsys) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: object) -> Done:
        self._monkeypatch.setattr(sys, "argv", ["facegauge", *map(str, words)])
        self._capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as done:
            code = int(done.code or 0)
        out, err = self._capsys.readouterr()
        return Done(code=code, out=out, err=err)
