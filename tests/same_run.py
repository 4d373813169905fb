"""Two training runs, compared to the bit; and what kills one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from facegauge.train.runs import Run


class Killed(BaseException):
    """As SIGKILL: nobody catches it."""


def dying(*_: Any) -> None:
    """In the place of anything that must not be reached."""
    raise Killed


def dying_at(learner: type, step: int) -> Any:
    """A ``training_step`` of a kind of learner that dies before one step."""
    original = learner.training_step

    def training_step(self, batch, number):
        if self.global_step == step:
            raise Killed
        return original(self, batch, number)

    return training_step


def assert_same_run(run: Run, other: Run) -> None:
    """The same weights, optimiser, facts and, where there is one, reference population."""
    for mine, others in [
        (load_file(run.weights), load_file(other.weights)),
        (state_of(run), state_of(other)),
    ]:
        assert mine.keys() == others.keys()
        for name, tensor in mine.items():
            torch.testing.assert_close(tensor, others[name], rtol=0, atol=0, msg=name)
    facts = [json.dumps(each.facts(), sort_keys=True) for each in (run, other)]
    assert facts[0] == facts[1]  # as text, where nan is nan
    assert run.reference.is_file() == other.reference.is_file()
    if run.reference.is_file():
        with np.load(run.reference) as a, np.load(other.reference) as b:
            np.testing.assert_array_equal(a["raw"], b["raw"])


def state_of(run: Run) -> dict[str, torch.Tensor]:
    """Every tensor of a run's state, by where it stands."""
    state = torch.load(run.state, weights_only=False)
    found = {key: state[key] for key in ("state_dict", "optimizer_states")}
    return {name: t for key, part in found.items() for name, t in _flat(part, key).items()}


def _flat(state: Any, prefix: str) -> dict[str, torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return {prefix: state}
    if isinstance(state, dict):
        pairs = list(state.items())
    elif isinstance(state, list | tuple):
        pairs = list(enumerate(state))
    else:
        return {}
    return {k: v for key, part in pairs for k, v in _flat(part, f"{prefix}/{key}").items()}
