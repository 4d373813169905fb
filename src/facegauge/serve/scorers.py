"""Which scorers answer: by a model's name, for each choice of faces, with or without reasons.

What differs between requests is a view of the same network and detector, made when first asked for.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

from facegauge.choices import FaceChoice
from facegauge.panel import Panel
from facegauge.scoring import Scorer
from facegauge.serve.problems import Problem, Refused


class Scorers:
    """The scorers of a service.

    Args:
        first: answers where no model is asked for; a panel's members answer alone by their names.
        also: further ones, by the names of their models.
    """

    def __init__(self, first: Scorer | Panel, also: Sequence[Scorer] = ()) -> None:
        self.first = first
        self.members = first.scorers if isinstance(first, Panel) else (first,)
        known = reversed((*self.members, *also))  # of two by one name the first
        self._by_name = {each.model.card.name: each for each in known}
        self._views: dict[tuple[str | None, FaceChoice | None, bool], Scorer | Panel] = {}

    @property
    def names(self) -> list[str]:
        """What ``model`` may be, sorted."""
        return sorted(self._by_name)

    def opened(self, name: str) -> Scorer | None:
        """The scorer of that model, None when it does not answer here."""
        return self._by_name.get(name)

    def choose(self, model: str | None, faces: FaceChoice | None, explain: bool) -> Scorer | Panel:
        """The scorer for a request; None is what the service was started with.

        Raises:
            Refused: no model of that name answers here. A path is never tried.
        """
        if model is not None and model not in self._by_name:
            known = ", ".join(self.names)
            raise Refused(Problem.INVALID, f"model: expected one of {known}, got another one.")
        asked = model, faces, explain
        if asked not in self._views:
            chosen = self.first if model is None else self._by_name[model]
            self._views[asked] = view(chosen, faces, explain)
        return self._views[asked]


def view(scorer: Scorer | Panel, faces: FaceChoice | None, explain: bool) -> Scorer | Panel:
    """The same scorer with other choices, sharing all that is large. Reasons are the first's."""
    own = copy.copy(scorer)
    if isinstance(own, Panel):
        own.scorers = tuple(
            _view(each, faces, explain and at == 0) for at, each in enumerate(own.scorers)
        )
        return own
    return _view(own, faces, explain)


def _view(scorer: Scorer, faces: FaceChoice | None, explain: bool) -> Scorer:
    own = copy.copy(scorer)
    own.faces = own.faces if faces is None else faces
    own.explain = explain
    return own
