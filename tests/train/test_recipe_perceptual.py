"""The recipe perceptual: its values, and those it refuses."""

import pytest

from facegauge.errors import RecipeError
from facegauge.train.recipe_perceptual import Perceptual
from facegauge.train.recipes import recipe


def test_without_changes_it_is_a_student_on_whole_pictures():
    found = Perceptual()
    assert (found.name, found.network, found.size) == ("perceptual", "edgenext_xx_small", 224)
    assert found.mse_weight == found.plcc_weight == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("batch=1", "batch must be 2 or more, for the PLCC loss"),
        ("schedule=line", "schedule must be cosine or step"),
        ("resampling=smooth", "resampling must be area or pillow-bilinear"),
        ("network=", "network must be given"),
        ("labels=", "labels must be given"),
        ("short_side=100", "short_side must be 0, or the size 224 or more"),
        ("channels=0", "channels must be above 0"),
        ("mirror=1.1", "mirror must be in 0..1"),
        ("held_out=2", "held_out must be in 0..1"),
        ("head_width=0", "head_width must be 1 or more"),
        ("decay_every=0", "decay_every must be 1 or more"),
        ("plcc_weight=-1", "plcc_weight must be"),
    ],
)
def test_what_cannot_be_trained_is_refused(change, message):
    with pytest.raises(RecipeError, match=message):
        recipe("perceptual", (change,))


def test_without_any_loss_there_is_nothing_to_learn():
    with pytest.raises(RecipeError, match="mse_weight must be above 0 or plcc_weight"):
        recipe("perceptual", ("mse_weight=0", "plcc_weight=0"))
