"""A run folder: recipe, weights, metrics and what export needs, in files a person can read.

``recipe.json`` and ``run.json`` (metrics, git revision, what the run saw), ``model.safetensors``
(the best averaged weights), ``reference.npz`` (raw outputs on the reference population),
``state.ckpt`` (Lightning's state, for resuming) and ``targets/`` (the recognisers' answers; safe to
delete).
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facegauge.errors import TrainingError
from facegauge.train import recipes
from facegauge.train.recipe import Recipe
from facegauge.train.recipe_detector import Detector
from facegauge.train.recipe_first import First
from facegauge.train.recipes import Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The folder of one training run."""

    folder: Path

    @property
    def weights(self) -> Path:
        """The best averaged weights."""
        return self.folder / "model.safetensors"

    @property
    def state(self) -> Path:
        """Everything needed to go on."""
        return self.folder / "state.ckpt"

    @property
    def begun(self) -> bool:
        """Whether another recipe would lose something: a leg or a stage is done."""
        return self.state.is_file() or bool(self.facts().get("stages"))

    @property
    def reference(self) -> Path:
        """Raw outputs on the reference population, written when the run is complete."""
        return self.folder / "reference.npz"

    @property
    def targets(self) -> Path:
        """The recognisers' answers."""
        return self.folder / "targets"

    def recipe(self) -> Recipe:
        """The recipe this run was started with.

        Raises:
            TrainingError: the folder is no run.
        """
        path = self.folder / "recipe.json"
        if not path.is_file():
            raise TrainingError(
                f"{self.folder} is not a training run: it has no recipe.json. Start one with: "
                "facegauge train RECIPE --data DIR --out RUN"
            )
        return recipes.from_json(path.read_text())

    def first(self) -> First:
        """The recipe of a run of the kind ``first``."""
        return self.of_kind(First)

    def detector(self) -> Detector:
        """The recipe of a run of the kind ``detector``."""
        return self.of_kind(Detector)

    def of_kind(self, kind: type[Chosen]) -> Chosen:
        """The recipe of a run of some kind or of one derived from it.

        Raises:
            TrainingError: it is a run of another kind.
        """
        chosen = self.recipe()
        if not isinstance(chosen, kind):
            raise TrainingError(
                f"{self.folder} is a run of the recipe {recipes.kind(chosen)}, which cannot serve "
                f"here; expected a {kind.__name__.lower()}."
            )
        return chosen

    def facts(self) -> dict[str, Any]:
        """What the run wrote down about itself."""
        path = self.folder / "run.json"
        return dict(json.loads(path.read_text())) if path.is_file() else {}

    def finish(self, **facts: Any) -> None:
        """Note these facts, and that the run is complete."""
        self.write_facts({**self.facts(), **facts, "complete": True})

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Replace what the run says about itself, in one step."""
        write_json(self.folder / "run.json", facts)


def started(folder: Path, chosen: Recipe, resume: bool) -> Run:
    """As ``begin``, and note the git revision that the run was begun with."""
    run = begin(folder, chosen, resume)
    run.write_facts({"revision": revision(), **run.facts()})
    return run


def begin(folder: Path, chosen: Recipe, resume: bool) -> Run:
    """Make a run folder, or take one up again.

    Raises:
        TrainingError: the folder holds a run and ``resume`` is not set, or it was started with
            another recipe.
    """
    run = Run(folder=folder)
    stored = folder / "recipe.json"
    if stored.is_file():
        _refuse_change(run, chosen, resume)
        return run
    if folder.is_dir() and any(folder.iterdir()):
        raise TrainingError(f"{folder} is not empty and not a run. Choose a new folder for --out.")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(stored, recipes.stored(chosen))
    return run


def _refuse_change(run: Run, chosen: Recipe, resume: bool) -> None:
    if not resume:
        raise TrainingError(
            f"{run.folder} holds a run already. Pass --resume to go on with it, or another --out."
        )
    if not run.begun:  # nothing is lost by another recipe before the first leg
        write_json(run.folder / "recipe.json", recipes.stored(chosen))
        return
    before, after = recipes.stored(run.recipe()), recipes.stored(chosen)
    changed = [key for key in after if before.get(key) != after[key]]
    if changed:
        raise TrainingError(
            f"{run.folder} was started with another recipe; these fields differ: "
            f"{', '.join(changed)}. Resume with the same --set, or choose another --out."
        )


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON so that a reader never sees half a file."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    draft.replace(path)


def revision() -> str:
    """The git revision of the working folder, marked when it has changes; empty without git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
