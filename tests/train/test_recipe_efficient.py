"""Efficient-FIQA's recipes: the paper's constants, and how a journey's values reach its parts."""

import pytest

from facegauge.train.recipe_efficient import EfficientFiqa, EfficientFiqaSmall
from facegauge.train.recipe_perceptual import Perceptual
from facegauge.train.recipes import recipe


def test_the_paper():
    """Sun et al. 2025: sizes, rates, epochs, split and seed; filters off."""
    found = EfficientFiqa()
    assert (found.teacher.network, found.teacher.size) == ("efficient-fiqa-teacher", 448)
    assert (found.student.network, found.student.size) == ("efficient-fiqa-student", 352)
    assert (found.learning_rate, found.weight_decay) == (1e-4, 1e-6)
    assert (found.legs, found.batch, found.steps) == (30, 32, 1)
    assert (found.schedule, found.decay_every) == ("step", 10)
    assert (found.held_out, found.seed) == (0.2, 42)
    assert (found.doubt, found.average, found.warmup) == (0.0, 0.0, 0.0)
    assert found.teacher.weights == found.student.weights == "imagenet"


def test_a_leg_of_the_paper_is_one_turn_over_the_pictures():
    found = EfficientFiqa()
    assert found.of(found.teacher, pictures=1000).steps == 31
    assert found.of(found.teacher, pictures=7).steps == 1


@pytest.mark.parametrize("kind", [EfficientFiqa, EfficientFiqaSmall])
def test_a_part_has_the_journeys_values_but_for_its_own(kind):
    chosen = kind(name="mine", seed=5, batch=16)
    part = chosen.of(chosen.student, pictures=500)
    assert isinstance(part, Perceptual)
    assert (part.name, part.seed, part.batch) == ("mine", 5, 16)
    assert part.labels == "labels"
    assert part.learning_rate == chosen.learning_rate


def test_a_part_may_have_values_of_its_own():
    chosen = recipe(
        "efficient-fiqa-small",
        ("teacher.batch=8", "teacher.legs=3", "teacher.steps=9", "teacher.learning_rate=0.5"),
    )
    teacher, student = (chosen.of(part, pictures=500) for part in (chosen.teacher, chosen.student))
    assert (teacher.batch, teacher.legs, teacher.steps, teacher.learning_rate) == (8, 3, 9, 0.5)
    assert (student.batch, student.legs, student.steps) == (32, chosen.legs, chosen.steps)
    assert chosen.of(chosen.teacher, pictures=500, legs=2).legs == 2


def test_the_small_one_fits_two_cores():
    found = EfficientFiqaSmall()
    assert found.teacher.size <= 224
    assert found.teacher.weights == found.student.weights == ""
    assert found.alone == 1
