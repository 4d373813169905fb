"""Each recipe goes the way of its kind."""

import pytest

from facegauge.train import journeys
from facegauge.train.recipe import Recipe
from facegauge.train.recipes import RECIPES

ROOMS = {
    "first": "first",
    "detector": "detector",
    "judge": "judge",
    "cr-fiqa": "embedding",
    "magface": "embedding",
    "sdd-fiqa": "regression",
    "faceqnet": "regression",
    "difiqa": "diffusion",
    "difiqa-r": "regression",
    "ai-kd": "alignment_distillation",
    "ai-kd-xxs": "alignment_distillation",
    "perceptual": "teacher",
    "efficient-fiqa": "efficient_fiqa",
    "efficient-fiqa-small": "efficient_fiqa",
}


def test_every_recipe_has_a_way():
    assert ROOMS.keys() == RECIPES.keys()


@pytest.mark.parametrize(("name", "room"), ROOMS.items())
def test_a_recipe_goes_the_way_of_its_kind(monkeypatch, tmp_path, name, room):
    asked, chosen = [], RECIPES[name]
    monkeypatch.setattr(
        getattr(journeys, room), "train", lambda *words, **flags: asked.append((words, flags))
    )
    journeys.train(chosen, tmp_path / "data", tmp_path / "out", resume=True, workers=3)
    flags = {"resume": True, "workers": 3, "device": "cpu"}
    if room == "efficient_fiqa":
        flags["stages"] = ()
    assert asked == [((chosen, tmp_path / "data", tmp_path / "out"), flags)]


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(TypeError, match="Recipe"):
        journeys.train(Recipe(), tmp_path, tmp_path)
