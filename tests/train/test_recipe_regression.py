"""The recipes ``sdd-fiqa``, ``faceqnet``, ``difiqa-r``: their fields and what they refuse."""

import dataclasses
import math

import pytest

from facegauge.errors import RecipeError
from facegauge.train.recipe_embedding import Embedding
from facegauge.train.recipe_regression import DifFiqaR, FaceQnet, Regression, SddFiqa


def fields(kind):
    return [field.name for field in dataclasses.fields(kind)]


def test_the_fields_are_these():
    """Flags and stored recipes hang on the names: a change here is a change for users."""
    own = ["labels", "loss", "beta", "dropout", "head_rate", "trained"]
    assert fields(Regression) == [*fields(Embedding), *own]
    for kind in (SddFiqa, FaceQnet, DifFiqaR):
        assert fields(kind) == fields(Regression)


def test_they_differ_as_the_papers_do():
    assert [kind().loss for kind in (SddFiqa, FaceQnet, DifFiqaR)] == ["smooth-l1", "mse", "l1"]
    assert [kind().dropout for kind in (SddFiqa, FaceQnet, DifFiqaR)] == [0.5, 0.0, 0.0]
    for kind in (SddFiqa, FaceQnet, DifFiqaR):
        assert (kind().learning_rate, kind().weight_decay) == (1e-4, 0.0)
    assert DifFiqaR().learning_rate * DifFiqaR().head_rate == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("network", ""),
        ("labels", ""),
        ("loss", "l2"),
        ("beta", 0.0),
        ("beta", math.nan),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("head_rate", 0.0),
        ("head_rate", math.inf),
        ("trained", -1),
        ("optimiser", "muon"),
        ("batch", 1),
    ],
)
def test_what_cannot_train_or_export_is_refused_at_once(field, value):
    with pytest.raises(RecipeError, match=f"{field} must be"):
        SddFiqa(**{field: value})
