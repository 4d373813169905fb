"""Steps per second of AI-KD with the teacher's answers kept, and with a teacher that is asked anew.

    python benchmarks/aikd_speed.py --data DATA [--recipe ai-kd-xxs] [--steps 30] [--set key=value]

DATA as for ``facegauge train``. Both kinds see the same visits and take the same steps, in turns of
a few steps each, so that whatever else the machine does slows both alike. What it costs to ask the
teacher once about every face is told apart: it is paid once for all runs that share the answers.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from facegauge.train.alignment_distillation import Prepared, prepared
from facegauge.train.recipe_alignment import AlignmentDistillation
from facegauge.train.recipes import recipe
from facegauge.train.visits import Legs

KINDS = ("cached", "live")
TURN = 5
"""Steps of a kind before the other has its turn."""


def main() -> None:
    """Print steps per second of both, and what the answers cost."""
    options = _options()
    chosen = recipe(options.recipe, tuple(options.changes))
    if not isinstance(chosen, AlignmentDistillation):
        raise SystemExit(f"Expected ai-kd or ai-kd-xxs, got {options.recipe}.")
    with tempfile.TemporaryDirectory() as folder:
        courses = {kind: begun(options, kind, Path(folder)) for kind in KINDS}
        seconds = measured(courses, options)
    for kind, spent in seconds.items():
        rate = options.steps / spent
        print(f"{kind}: {rate:.3f} steps a second, {rate * chosen.batch:.1f} faces a second")
    print(f"cached / live: {seconds['live'] / seconds['cached']:.2f}")


def begun(options: argparse.Namespace, kind: str, folder: Path) -> Prepared:
    """A run of a kind that is ready to be trained."""
    changes = (*options.changes, f"teacher={kind}", f"steps={options.steps}", "legs=1")
    chosen = recipe(options.recipe, changes)
    assert isinstance(chosen, AlignmentDistillation)  # noqa: S101 - main has seen to it
    start = time.perf_counter()
    course = prepared(chosen, options.data, folder / kind)
    faces = len(course.visits.faces)
    print(f"{kind}: ready after {time.perf_counter() - start:.1f} s, {faces} faces", flush=True)
    return course


def measured(courses: dict[str, Prepared], options: argparse.Namespace) -> dict[str, float]:
    """Seconds of all steps but the first turn, which warms up, by kind."""
    running = {kind: steps(course, options) for kind, course in courses.items()}
    seconds = dict.fromkeys(courses, 0.0)
    for turn in range(1 + options.steps // TURN):
        for kind, each in running.items():
            start = time.perf_counter()
            losses = [next(each) for _ in range(TURN)]
            if turn:
                seconds[kind] += time.perf_counter() - start
            else:
                print(f"{kind}: losses of the first steps {losses}", flush=True)
    return seconds


def steps(course: Prepared, options: argparse.Namespace) -> Iterator[float]:
    """Take one step after the other: read, cut, ask, learn; the loss of each."""
    learner = course.learner.to(options.device).train()
    optimiser = learner.configure_optimizers()["optimizer"]
    mixed = learner.chosen.precision == "bf16-mixed"
    while True:
        for batch in Legs(learner.chosen, course.visits, options.workers).train_dataloader():
            moved: dict[str, Any] = {name: each.to(options.device) for name, each in batch.items()}
            with torch.autocast(options.device, torch.bfloat16, enabled=mixed):
                loss = learner.total(learner.training_losses(moved))
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learner.network.parameters(), learner.chosen.clip)
            optimiser.step()
            learner.average.update_parameters(learner.network)
            yield round(loss.item(), 4)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", default="ai-kd-xxs")
    parser.add_argument("--set", dest="changes", action="append", default=[])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()
