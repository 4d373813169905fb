"""The recipes ``ai-kd`` and ``ai-kd-xxs``: their fields and what they refuse."""

import dataclasses
import math

import pytest

from facegauge.errors import RecipeError
from facegauge.train.recipe_alignment import AiKd, AiKdXxs, AlignmentDistillation
from facegauge.train.recipe_embedding import Embedding
from facegauge.train.recipes import recipe

OWN = [
    *("recognisers", "teacher", "labels", "scale", "agreement", "doubted", "trimmed"),
    *("head_width", "label_beta", "embedding_weight", "relation_weight", "jitter_pixels"),
    *("roll", "zoom", "shift", "swap_tables", "swaps", "mirrored", "views", "fall", "trained"),
    *("head_rate", "momentum", "body_momentum", "schedule", "settled", "settled_rate"),
    *("held_jitter", "held_draws", "chosen_by", "devices"),
]


def fields(kind):
    return [field.name for field in dataclasses.fields(kind)]


def test_the_fields_are_these():
    """Flags and stored recipes hang on the names: a change here is a change for users."""
    assert fields(AlignmentDistillation) == [*fields(Embedding), *OWN]
    assert fields(AiKd) == fields(AiKdXxs) == fields(AlignmentDistillation)


def test_ai_kd_is_that_of_the_paper():
    chosen = AiKd()
    assert (chosen.network, chosen.width, chosen.head_width) == ("iresnet100", 512, 1024)
    assert (chosen.jitter_pixels, chosen.jitter, chosen.mirrored) == (3.0, 0.0, 0.0)
    assert (chosen.optimiser, chosen.learning_rate, chosen.batch) == ("sgd", 0.05, 64)
    assert (chosen.momentum, chosen.weight_decay, chosen.body_momentum) == (0.9, 5e-4, 0.1)
    assert (chosen.trained, chosen.head_rate, chosen.clip) == (100, 1.0, 5.0)
    assert (chosen.label_beta, chosen.embedding_weight, chosen.scale) == (0.5, 1.0, "range")
    assert (chosen.schedule, chosen.warmup, chosen.settled) == ("sine", 0.3 / 2, 0.3)
    assert chosen.settled_rate * chosen.learning_rate == 0.05


def test_beyond_the_paper_nothing_is_on_in_ai_kd():
    chosen = AiKd()
    off = ["agreement", "doubted", "trimmed", "relation_weight", "roll", "zoom", "shift", "swaps"]
    assert not any(getattr(chosen, field) for field in [*off, "degraded", "mirrored"])
    assert chosen.swap_tables == ()
    assert len(chosen.labels) == 1


def test_ours_moves_faces_by_their_own_size():
    chosen = AiKdXxs()
    assert chosen.network == "edgenext_xx_small"
    assert chosen.size == 112
    assert chosen.jitter == 0.085
    assert chosen.jitter_pixels == 0
    assert chosen.optimiser == "adamw"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": ""}, "network must be given"),
        ({"recognisers": ()}, "recognisers must be given"),
        ({"teacher": "dead"}, "teacher must be cached or live, got 'dead'"),
        ({"scale": "log"}, "scale must be range or rank"),
        ({"schedule": "step"}, "schedule must be cosine or sine"),
        ({"chosen_by": "srcc"}, "chosen_by must be loss or pauc"),
        ({"optimiser": "muon"}, "optimiser must be adamw or sgd"),
        ({"labels": ()}, "chosen_by must be loss where there are no labels, got 'pauc'"),
        ({"agreement": -1.0}, "agreement must be 0 or more"),
        ({"doubted": math.nan}, "doubted must be 0 or more"),
        ({"trimmed": 1.0}, "trimmed must be below 1"),
        ({"trimmed": -0.1}, "trimmed must be in 0..1"),
        ({"momentum": 1.0}, "momentum must be below 1"),
        ({"body_momentum": 1.5}, "body_momentum must be in 0..1"),
        ({"zoom": 1.0}, "zoom must be below 1"),
        ({"roll": math.inf}, "roll must be 0 or more and finite"),
        ({"shift": -0.1}, "shift must be"),
        ({"jitter_pixels": 3.0}, "jitter_pixels must be 0 beside a jitter above 0, got 3.0"),
        ({"swaps": 0.5}, "swap_tables must be given where swaps is above 0"),
        ({"swaps": 1.5, "swap_tables": ("a",)}, "swaps must be in 0..1"),
        ({"mirrored": 2.0}, "mirrored must be in 0..1"),
        ({"views": 1, "degraded": 0.5}, "views must be 2 or more where degraded is above 0"),
        ({"fall": -1.0}, "fall must be"),
        ({"trained": -1}, "trained must be"),
        ({"head_width": 0}, "head_width must be 1 or more"),
        ({"label_beta": 0.0}, "label_beta must be above 0"),
        ({"head_rate": 0.0}, "head_rate must be above 0"),
        ({"settled": 1.5}, "settled must be in 0..1"),
        ({"settled_rate": 0.0}, "settled_rate must be above 0"),
        ({"held_draws": 0}, "held_draws must be 1 or more"),
        ({"held_jitter": -1.0}, "held_jitter must be"),
        ({"devices": 0}, "devices must be 1 or more"),
        ({"devices": 3}, "devices must be a divisor of the batch, 64, got 3"),
        ({"devices": 64}, "devices must be a divisor"),
    ],
)
def test_what_cannot_train_or_export_is_refused_at_once(changes, message):
    with pytest.raises(RecipeError, match=message):
        AiKdXxs(**changes)


def test_they_are_derived_from_the_command_line():
    changes = ("labels=a.csv,b.pkl", "jitter=0", "jitter_pixels=2", "devices=2", "swaps=0")
    chosen = recipe("ai-kd-xxs", changes)
    assert chosen.labels == ("a.csv", "b.pkl")
    assert (chosen.jitter_pixels, chosen.devices) == (2.0, 2)
    assert recipe("ai-kd", ("labels=",)).labels == ()
