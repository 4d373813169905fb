"""The models of a service: what each is, whether it scores, and its file for scoring elsewhere."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from facegauge import models
from facegauge.cards import Card
from facegauge.serve.answers import ModelFound
from facegauge.serve.scorers import Scorers


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model file that anyone may have: one that comes with the package."""

    card: Card
    path: Path
    size: int
    sha256: str

    @property
    def address(self) -> str:
        """Where the service hands it out."""
        return f"/v1/models/{self.card.name}/file"


class Catalogue:
    """The models that score here, and those whose files are handed out; some are both.

    Files that the service was started with are not handed out: whoever trained them decides.
    """

    def __init__(self, scorers: Scorers) -> None:
        self._scorers = scorers
        self.files = {card.name: _file(card) for card in models.available()}

    def entries(self) -> list[ModelFound]:
        """All models, by name."""
        names = sorted({*self._scorers.names, *self.files})
        return [self._entry(name) for name in names]

    def _entry(self, name: str) -> ModelFound:
        scorer, file = self._scorers.opened(name), self.files.get(name)
        card = self.files[name].card if scorer is None else scorer.model.card
        if file is not None and file.card != card:  # another model by an embedded one's name
            file = None
        return ModelFound(
            name=name,
            version=card.version,
            kind=card.kind,
            scores=scorer is not None,
            default=scorer in self._scorers.members,
            file=None if file is None else file.address,
            bytes=None if file is None else file.size,
            sha256=None if file is None else file.sha256,
            card=json.loads(card.to_json()),
        )


def _file(card: Card) -> ModelFile:
    path = models.locate(card.name)
    content = path.read_bytes()
    return ModelFile(
        card=card, path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
