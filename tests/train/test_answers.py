"""Answers of recognisers, kept on disk (parts and damage: see ``test_targets``)."""

import numpy as np
import pytest

from facegauge import models
from facegauge.cards import Crop, View
from facegauge.models import Model
from facegauge.train.alignment_visits import AlignedViews
from facegauge.train.answers import kept_answers
from facegauge.train.faces import read_faces
from toy_faces import SIZE


@pytest.fixture(scope="module")
def faces(data):
    return read_faces(data)


@pytest.fixture(scope="module")
def recogniser(data):
    return models.open(data / "recognisers" / "toy.onnx", threads=1)


def views(faces, **changes):
    crop = Crop(view=View.ALIGNED, size=SIZE)
    return AlignedViews(**{"faces": faces, "crop": crop, "count": 2, "seed": 0, **changes})


def test_answers_are_those_of_one_crop_after_the_other(faces, recogniser, tmp_path):
    seen, told = views(faces), []
    found = kept_answers(seen, recogniser, tmp_path, lambda *step: told.append(step))
    assert found.embeddings.shape[:2] == found.norms.shape == (len(faces), 2)
    for face, view in ((0, 0), (7, 1), (len(faces) - 1, 0)):
        wanted = recogniser.embed(seen.aligned(face, view)[None])
        np.testing.assert_allclose(found.embeddings[face, view], wanted.embedding[0], atol=1e-3)
        np.testing.assert_allclose(found.norms[face, view], wanted.norm[0], rtol=1e-5)
    assert told == [(len(faces), len(faces))]


def test_nothing_is_asked_twice(faces, recogniser, tmp_path, monkeypatch):
    first = kept_answers(views(faces), recogniser, tmp_path)
    monkeypatch.setattr(Model, "embed", None)
    again = kept_answers(views(faces), recogniser, tmp_path)
    np.testing.assert_array_equal(first.embeddings, again.embeddings)
    assert [path.name for path in tmp_path.rglob("*.npz")] == ["00000000.npz"]


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 3},
        {"seed": 1},
        {"crop": Crop(view=View.ALIGNED, size=SIZE, resampling="reference")},
    ],
)
def test_other_views_are_other_answers(faces, recogniser, tmp_path, changes):
    for seen in (views(faces), views(faces, **changes)):
        kept_answers(seen, recogniser, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
