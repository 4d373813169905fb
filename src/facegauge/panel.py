"""Several models say what they think of the same faces, found once: utility beside perceptual.

The first model decides what becomes of a face; what the others say stands beside its score, never
mixed into it. Where they are far apart they disagree (see ``score_row.DISAGREEMENT``): a sharp
portrait in profile, a blurred one that is recognised all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facegauge import photos
from facegauge.choices import FaceChoice, Input
from facegauge.detection import Detector
from facegauge.errors import OptionError, UnreadableImage
from facegauge.photos import Source
from facegauge.prepared import Prepared
from facegauge.scoring import Scorer
from facegauge.values import Assessment, Landmarks, Outcome


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """One face, prepared for each model in turn."""

    parts: tuple[Prepared, ...]


class Panel:
    """Scores faces with two or more models in one pass; used like a ``Scorer``.

    Args:
        models: names or paths; the first one's score is *the* score.
        input: as for ``Scorer``.
        faces: as for ``Scorer``.
        detector: as for ``Scorer``; it looks at each photo once.
        threads: as for ``Scorer``.
        device: as for ``Scorer``.
        explain: as for ``Scorer``; each face is measured once.

    Raises:
        OptionError: fewer than two models, or the same one twice; else as ``Scorer``.
        ModelError: as ``Scorer``.
    """

    def __init__(
        self,
        models: Sequence[str | Path],
        *,
        input: str = Input.PHOTO,
        faces: str = FaceChoice.LARGEST,
        detector: str | Path | Detector | None = None,
        threads: int | None = None,
        device: str = "cpu",
        explain: bool = False,
    ) -> None:
        scorers: list[Scorer] = []
        for model in models:
            scorers.append(
                Scorer(
                    model,
                    input=input,
                    faces=faces,
                    detector=scorers[0].detector if scorers else detector,
                    threads=threads,
                    device=device,
                    explain=explain and not scorers,
                )
            )
        names = [each.name for each in scorers]
        if len(scorers) < 2 or len(set(names)) < len(names):
            raise OptionError(
                f"Expected two or more different models, got {', '.join(names) or 'none'}. "
                "Correct --model."
            )
        self.scorers = tuple(scorers)

    @property
    def name(self) -> str:
        """The first model's name and version."""
        return self.scorers[0].name

    @property
    def explain(self) -> bool:
        """Whether faces are measured, too."""
        return self.scorers[0].explain

    @property
    def further(self) -> tuple[str, ...]:
        """Those of the others."""
        return tuple(each.name for each in self.scorers[1:])

    def assess(
        self, source: Source, landmarks: Sequence[Landmarks] | None = None
    ) -> list[Assessment]:
        """Assess one picture, see ``Scorer.assess``; ``further`` has the other models' part."""
        return self.finish(self.prepare(source, landmarks))

    def prepare(self, source: Source, landmarks: Sequence[Landmarks] | None = None) -> list[Seen]:
        """Decode, find faces once and crop for each model: one element per face."""
        detector = self.scorers[0].detector
        if landmarks is not None or detector is None:
            return _joined([each.prepare(source, landmarks) for each in self.scorers])
        try:
            in_full = any(each.every_pixel for each in self.scorers)
            photo = photos.look(source, detector, self.scorers[0].search, in_full=in_full)
            return _joined([each.seen(source, photo, detector) for each in self.scorers])
        except UnreadableImage as error:
            return [_unreadable(str(error), len(self.scorers))]

    def finish(self, prepared: Sequence[Seen]) -> list[Assessment]:
        """Run each network once on all its crops: one Assessment for each element, in order."""
        columns = [
            scorer.finish([each.parts[at] for each in prepared])
            for at, scorer in enumerate(self.scorers)
        ]
        return [self._joined(told) for told in zip(*columns, strict=True)]

    def _joined(self, told: Sequence[Assessment]) -> Assessment:
        """The first model's assessment with those of the others beside it."""
        first, *others = (
            replace(each, model=scorer.name)
            for each, scorer in zip(told, self.scorers, strict=True)
        )
        if first.outcome is not Outcome.SCORED:
            others = [Assessment(outcome=first.outcome, model=each.model) for each in others]
        reasons = [
            f"{each.model}: {each.outcome}, {each.detail}"
            for each in others
            if each.outcome is not first.outcome
        ]
        detail = "; ".join(part for part in (first.detail, *reasons) if part)
        return replace(first, detail=detail, further=tuple(others))


def open(model: str, **options: Any) -> Scorer | Panel:
    """The scorer of a model, or the panel of several with commas between their names or files.

    Options are those of ``Scorer``; raises as ``Scorer`` and ``Panel`` do.
    """
    names = [model] if Path(model).is_file() else [name for name in model.split(",") if name]
    return Scorer(names[0], **options) if len(names) == 1 else Panel(names, **options)


def _joined(columns: Sequence[Sequence[Prepared]]) -> list[Seen]:
    """The faces of a picture, each for every model; one that sees one whole crop repeats it."""
    count = max(len(column) for column in columns)
    rows = [column if len(column) == count else [column[0]] * count for column in columns]
    return [Seen(parts=parts) for parts in zip(*rows, strict=True)]


def _unreadable(reason: str, models: int) -> Seen:
    nothing = Assessment(outcome=Outcome.UNREADABLE, detail=reason)
    return Seen(parts=(Prepared(assessment=nothing),) * models)
