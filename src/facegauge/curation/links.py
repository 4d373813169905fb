"""Links to the pictures of chosen rows, below a folder of their own: nothing is copied or moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from facegauge.errors import InputError, OptionError
from facegauge.places import below


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFolder:
    """Where links go: ``out``, new or empty, to pictures that lie below ``images``.

    Raises:
        OptionError: something is in ``out``, or ``images`` is no folder.
    """

    out: Path
    images: Path

    def __post_init__(self) -> None:
        if not self.images.is_dir():
            raise OptionError(
                f"--images is the folder that the paths of the table are relative to, got "
                f"{self.images}, which is none. Pass the folder that was scored."
            )
        out = self.out
        if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
            raise OptionError(
                f"--link-to needs a new or empty folder, got {out}, in which something is. Pass "
                "another one."
            )

    def check(self, paths: Iterable[str]) -> None:
        """Refuse a path without a picture, or one that would lead out of the folder.

        Raises:
            InputError: no such picture.
            OptionError: a path with ``..``.
        """
        for path in paths:
            below(self.out, path)
            if not below(self.images, path).is_file():
                raise InputError(
                    f"Expected the pictures of the table in {self.images}, got none for {path!r}. "
                    "Pass the folder that was scored as --images."
                )

    def link(self, paths: Iterable[str]) -> int:
        """Make a symbolic link for each path, once, and say how many there are.

        Raises:
            OptionError: the folder cannot be written.
        """
        made = 0
        try:
            for path in dict.fromkeys(paths):
                place = below(self.out, path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(below(self.images, path).absolute())
                made += 1
        except OSError as error:
            raise OptionError(
                f"Links need a place to write, got {self.out}: {error.strerror or error}. Pass "
                "another --link-to."
            ) from error
        return made
