"""The journey of Efficient-FIQA: teacher, self-training, student, evaluation, one ONNX file.

Source: Efficient-FIQA (Sun et al. 2025, arXiv 2507.15709). Each stage leaves a run folder or a
table in the journey's own folder and is noted in its ``run.json``; a stage that is noted is
skipped, one that was killed goes on, and the numbers are those of a journey without interruption.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from facegauge.errors import OptionError, TrainingError
from facegauge.train import runs
from facegauge.train.distillation import compare, lessons
from facegauge.train.export_perceptual import export_perceptual
from facegauge.train.ratings import Ratings, read_folder, read_ratings
from facegauge.train.recipe_efficient import EfficientFiqa, Network
from facegauge.train.runs import Run
from facegauge.train.self_training import pseudo_label, with_pseudo
from facegauge.train.teacher import teach

STAGES = (
    "teacher",
    "labels-a",
    "teacher-plus",
    "labels-b",
    "alone",
    "student",
    "evaluation",
    "export",
)
"""In the order in which they are run; each needs those before it, but for ``alone``."""
NETWORKS = ("teacher", "teacher-plus", "alone", "student")
MODEL = "perceptual.onnx"


def train(
    chosen: EfficientFiqa,
    data: Path,
    out: Path,
    *,
    resume: bool = False,
    workers: int = 1,
    device: str = "cpu",
    stages: Sequence[str] = (),
) -> Run:
    """Run the recipe from labelled and unlabelled pictures to the model file, or go on with it.

    Args:
        chosen: the recipe.
        data: a folder with the tables and folders that ``chosen.data`` names.
        out: the run folder, which holds one folder a stage.
        resume: go on with the run in ``out``.
        workers: processes that prepare pictures; 0 prepares them in this one.
        device: ``cpu`` or ``cuda``.
        stages: only these of ``STAGES``; none is all.

    Raises:
        OptionError: an unknown stage.
        TrainingError: data or run folder are not usable, or a stage before is not done.
    """
    wanted = _wanted(chosen, stages)
    ratings = read_ratings(data, chosen.data.labels, held_out=chosen.held_out, seed=chosen.seed)
    unlabelled = {
        name: read_folder(data, getattr(chosen.data, f"unlabelled_{name}")) for name in "ab"
    }
    run = runs.started(out, chosen, resume)
    journey = Journey(
        chosen=chosen,
        data=data,
        run=run,
        ratings=ratings,
        unlabelled=unlabelled,
        workers=workers,
        device=device,
    )
    for stage in wanted:
        journey.stage(stage)
    return run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Journey:
    """A journey under way: its recipe, folder and pictures."""

    chosen: EfficientFiqa
    data: Path
    run: Run
    ratings: Ratings
    unlabelled: dict[str, tuple[Path, ...]]
    workers: int
    device: str

    def stage(self, name: str) -> None:
        """Run a stage, or skip it when it is done, and say how long it took and what came."""
        done = self.run.facts().get("stages", {})
        if name not in done:
            self._require(name, done)
            begun = time.monotonic()
            found = self._work(name)()
            note = {"seconds": round(time.monotonic() - begun, 1), **found}
            facts = self.run.facts()
            self.run.write_facts({**facts, "stages": {**facts.get("stages", {}), name: note}})
            done = self.run.facts()["stages"]
            if name == "export":
                self.run.finish(best=self.network("student").facts()["best"])
        _tell(name, done[name])

    def network(self, name: str) -> Run:
        """The run of one of the networks."""
        return Run(folder=self.run.folder / name)

    def table(self, name: str) -> Path:
        """The pseudo-labels of ``a`` or ``b``."""
        return self.run.folder / f"labels-{name}.csv"

    def _work(self, name: str) -> Callable[[], dict[str, Any]]:
        works = (
            self._teacher,
            self._labels_a,
            self._teacher_plus,
            self._labels_b,
            self._alone,
            self._student,
            self._evaluation,
            self._export,
        )
        return dict(zip(STAGES, works, strict=True))[name]

    def _teacher(self) -> dict[str, Any]:
        return self._taught("teacher", self.chosen.teacher, self.ratings)

    def _labels_a(self) -> dict[str, Any]:
        return self._labelled("teacher", "a")

    def _teacher_plus(self) -> dict[str, Any]:
        start = self.network("teacher") if self.chosen.plus_start == "teacher" else None
        more = with_pseudo(self.ratings, self.data, self.table("a"))
        legs = self.chosen.plus_legs
        return self._taught("teacher-plus", self.chosen.teacher, more, start=start, legs=legs)

    def _labels_b(self) -> dict[str, Any]:
        return self._labelled("teacher-plus", "b")

    def _alone(self) -> dict[str, Any]:
        return self._taught("alone", self.chosen.student, self.ratings)

    def _student(self) -> dict[str, Any]:
        more = lessons(self.ratings, self.data, self.table("a"), self.table("b"))
        return self._taught("student", self.chosen.student, more)

    def _evaluation(self) -> dict[str, Any]:
        done = self.run.facts().get("stages", {})
        taught = {name: self.network(name) for name in NETWORKS if name in done}
        found = compare(taught, self.ratings, self.run.folder / "evaluation", self.device)
        return {key: found["student"][key] for key in ("srcc", "plcc") if found["student"]}

    def _export(self) -> dict[str, Any]:
        chosen = self.chosen
        export_perceptual(self.network("student"), chosen, self.run.folder / MODEL)
        return {}

    def _taught(
        self,
        name: str,
        part: Network,
        ratings: Ratings,
        start: Run | None = None,
        legs: int = 0,
    ) -> dict[str, Any]:
        """Train one network in its own run folder, or go on with it."""
        run = teach(
            self.chosen.of(part, pictures=len(ratings.learned()), legs=legs),
            ratings,
            self.data,
            self.run.folder / name,
            start=start,
            resume=True,
            workers=self.workers,
            device=self.device,
        )
        return dict(run.facts()["best"])

    def _labelled(self, grader: str, name: str) -> dict[str, Any]:
        """Label the pictures of ``a`` or ``b`` by a network."""
        labels = pseudo_label(
            self.network(grader),
            self.chosen,
            self.ratings,
            self.data,
            self.unlabelled[name],
            self.table(name),
            self.device,
        )
        return {"labels": len(labels.paths)}

    def _require(self, name: str, done: dict[str, Any]) -> None:
        before = [each for each in STAGES[: STAGES.index(name)] if each != "alone"]
        missing = [] if name == "alone" else [each for each in before if each not in done]
        if missing:
            raise TrainingError(
                f"Expected the stages before {name} to be done in {self.run.folder}, missing: "
                f"{', '.join(missing)}. Run them first, or leave --stage out to run all."
            )


def _wanted(chosen: EfficientFiqa, stages: Sequence[str]) -> list[str]:
    unknown = [name for name in stages if name not in STAGES]
    if unknown:
        raise OptionError(
            f"Expected stages, some of {', '.join(STAGES)}; got {', '.join(unknown)}. Correct "
            "--stage."
        )
    all_stages = [name for name in STAGES if name != "alone" or chosen.alone]
    return [name for name in STAGES if name in (stages or all_stages)]


def _tell(name: str, note: dict[str, Any]) -> None:
    """One line of the table of stages, on stderr."""
    numbers = [
        f"{key.upper()} {note[key]:.4f}" if key in note else " " * 11 for key in ("srcc", "plcc")
    ]
    more = f"{note['labels']} labels" if "labels" in note else ""
    line = f"{name:13}{note['seconds']:9.1f} s  {'  '.join(numbers)}  {more}"
    Console(file=sys.stderr).print(line.rstrip(), highlight=False, soft_wrap=True)
