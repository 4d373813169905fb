"""Labels against a slow computation of our own; answers that are computed once and kept."""

import os
import shutil

import numpy as np
import pytest

from facegauge import models
from facegauge.errors import ModelError, TrainingError
from facegauge.models import Model
from facegauge.train import answers
from facegauge.train import targets as module
from facegauge.train.faces import UNKNOWN, Faces, read_faces
from facegauge.train.targets import find_recognisers, make_targets
from facegauge.train.views import Views
from toy_faces import SIZE, WIDTH, make_quality_model, make_recogniser, toy_recipe


@pytest.fixture(scope="module")
def faces(data):
    """All faces; one person has one picture only, and is therefore without company."""
    read = read_faces(data)
    identities = read.identities.copy()
    first = int(np.flatnonzero(identities != UNKNOWN)[0])
    identities[first] = identities.max() + 1
    return changed(read, identities=identities)


@pytest.fixture(scope="module")
def two(data, tmp_path_factory):
    other = make_recogniser(tmp_path_factory.mktemp("other") / "wide.onnx", seed=1, width=24)
    return [models.open(data / "recognisers" / "toy.onnx"), models.open(other)]


@pytest.fixture
def calls(monkeypatch):
    """How many crops each embedding call was given."""
    counted: list[int] = []
    embed = Model.embed

    def counting(self, images):
        counted.append(len(images))
        return embed(self, images)

    monkeypatch.setattr(Model, "embed", counting)
    return counted


def changed(faces: Faces, **fields) -> Faces:
    kept = {name: getattr(faces, name) for name in Faces.__slots__}
    return Faces(**{**kept, **fields})


def slow_answers(faces, recipe, model):
    """Embeddings N×V×D and lengths N×V, one crop at a time."""
    views = Views(faces=faces, recipe=recipe)
    answers = [
        [model.embed(views.aligned(face, view)[None]) for view in range(recipe.views)]
        for face in range(len(faces))
    ]
    embeddings = np.array([[a.embedding[0] for a in row] for row in answers], np.float64)
    return embeddings, np.array([[a.norm[0] for a in row] for row in answers], np.float64)


def slow_labels(faces, embeddings, norms):
    """N×V×2, by the definition, face by face."""
    count, views = norms.shape
    centre = np.full((count, views), np.nan)
    for face in range(count):
        person = faces.identities[face]
        others = [o for o in range(count) if faces.identities[o] == person and o != face]
        if person == UNKNOWN or not others:
            continue
        mean = sum(embeddings[o, 0] for o in others) / len(others)
        for view in range(views):
            cosine = embeddings[face, view] @ mean / np.linalg.norm(mean)
            centre[face, view] = cosine / np.linalg.norm(embeddings[face, view])
    columns = []
    for column in (norms, centre):
        training = [column[f, 0] for f in range(count) if not faces.validation[f]]
        clean = [value for value in training if not np.isnan(value)]
        mean = sum(clean) / len(clean)
        spread = (sum((value - mean) ** 2 for value in clean) / len(clean)) ** 0.5
        columns.append(np.clip((column - mean) / spread, -4, 4))
    return np.stack(columns, axis=2)


def test_labels_and_embeddings_are_what_they_say(faces, two, tmp_path):
    recipe = toy_recipe("views=3")
    found = make_targets(faces, recipe, two, tmp_path)
    answers = [slow_answers(faces, recipe, model) for model in two]
    wanted = np.mean([slow_labels(faces, *answer) for answer in answers], axis=0)
    assert found.labels.shape == (len(faces), 3, 2)
    np.testing.assert_allclose(found.labels, wanted, atol=0.02, equal_nan=True)  # stored as float16
    assert [e.shape for e in found.embeddings] == [(len(faces), WIDTH), (len(faces), 24)]
    for embedding, (slow, _) in zip(found.embeddings, answers, strict=True):
        np.testing.assert_allclose(embedding, slow[:, 0], atol=1e-3)
        np.testing.assert_allclose(np.linalg.norm(embedding, axis=1), 1.0, atol=1e-3)
        assert embedding.dtype == np.float32


def test_who_is_unknown_or_alone_has_confidence_but_no_centre(faces, two, tmp_path):
    labels = make_targets(faces, toy_recipe(), two, tmp_path).labels
    codes, counts = np.unique(faces.identities, return_counts=True)
    alone = np.isin(faces.identities, codes[counts == 1]) | (faces.identities == UNKNOWN)
    assert 1 < alone.sum() < len(faces)
    assert np.isfinite(labels[:, :, 0]).all()
    assert np.isnan(labels[alone, :, 1]).all()
    assert np.isfinite(labels[~alone, :, 1]).all()


def test_labels_are_standardised_on_clean_training_faces_alone(faces, two, tmp_path):
    labels = make_targets(faces, toy_recipe(), two[:1], tmp_path).labels
    clean = labels[~faces.validation, 0]
    np.testing.assert_allclose(np.nanmean(clean, axis=0), 0, atol=0.02)
    np.testing.assert_allclose(np.nanstd(clean, axis=0), 1, atol=0.05)
    assert abs(np.nanmean(labels[:, 1, 0])) > 0.05


def test_labels_are_limited_to_four_standard_deviations():
    values = np.concatenate([np.linspace(-1, 1, 50), [1000, -1000]])[:, None].astype(np.float32)
    training = np.arange(52) < 50
    found = module._standardised(values, training)
    assert found[50:, 0].tolist() == [4, -4]
    np.testing.assert_allclose(found[:50, 0], values[:50, 0] / values[:50, 0].std(), rtol=1e-5)


def test_values_that_do_not_differ_are_all_zero_and_no_values_are_unknown():
    everyone = np.ones(4, dtype=bool)
    same = module._standardised(np.full((4, 2), 3.0, np.float32), everyone)
    assert same.tolist() == [[0, 0]] * 4
    unknown = module._standardised(np.full((4, 2), np.nan, np.float32), everyone)
    assert np.isnan(unknown).all()


def test_without_any_name_only_confidence_is_known(data, two, tmp_path):
    faces = read_faces(data, ("strangers",))
    labels = make_targets(faces, toy_recipe(), two, tmp_path).labels
    assert np.isfinite(labels[:, :, 0]).all()
    assert np.isnan(labels[:, :, 1]).all()


def test_what_is_kept_is_not_computed_again(faces, two, tmp_path, calls):
    fresh = make_targets(faces, toy_recipe(), two, tmp_path)
    assert sum(calls) == 2 * 2 * len(faces)
    calls.clear()
    again = make_targets(faces, toy_recipe(), two, tmp_path)
    assert calls == []
    np.testing.assert_array_equal(fresh.labels, again.labels)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ("batch=7", True),
        ("steps=9", True),
        ("jitter=0.2", True),
        ("backbone=other", True),
        ("seed=1", False),
        ("views=3", False),
    ],
)
def test_answers_are_kept_exactly_as_long_as_they_hold(faces, two, tmp_path, calls, change, kept):
    make_targets(faces, toy_recipe(), two[:1], tmp_path)
    calls.clear()
    make_targets(faces, toy_recipe(change), two[:1], tmp_path)
    assert (calls == []) == kept


def test_other_landmarks_faces_or_recognisers_need_other_answers(faces, two, tmp_path, calls):
    make_targets(faces, toy_recipe(), two[:1], tmp_path)
    moved = changed(faces, landmarks=faces.landmarks + 1)
    fewer = changed(
        faces,
        paths=faces.paths[1:],
        landmarks=faces.landmarks[1:],
        identities=faces.identities[1:],
        validation=faces.validation[1:],
    )
    renamed = tmp_path / "again" / "wide.onnx"
    renamed.parent.mkdir()
    shutil.copy(two[1].path, renamed)
    for other, model in [(moved, two[0]), (fewer, two[0]), (faces, models.open(renamed))]:
        calls.clear()
        make_targets(other, toy_recipe(), [model], tmp_path)
        assert sum(calls) == 2 * len(other)


def test_who_is_for_validation_needs_no_other_answers(faces, two, tmp_path, calls):
    make_targets(faces, toy_recipe(), two[:1], tmp_path)
    calls.clear()
    make_targets(changed(faces, validation=~faces.validation), toy_recipe(), two[:1], tmp_path)
    assert calls == []


class Killed(BaseException):
    """As SIGKILL: nobody catches it."""


def test_killed_while_embedding_it_goes_on_with_the_next_part(
    faces, two, tmp_path, calls, monkeypatch
):
    whole = make_targets(faces, toy_recipe(), two[:1], tmp_path / "whole").labels
    monkeypatch.setattr(answers, "_PART", 16)
    calls.clear()
    counting = Model.embed

    def dying(self, images):
        if len(calls) == 3:
            raise Killed
        return counting(self, images)

    with monkeypatch.context() as patch:
        patch.setattr(Model, "embed", dying)
        with pytest.raises(Killed):
            make_targets(faces, toy_recipe(), two[:1], tmp_path / "cut")
    [folder] = (tmp_path / "cut").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{start:08d}.npz" for start in (0, 16, 32)
    ]
    calls.clear()
    steps: list[tuple[int, int]] = []
    resumed = make_targets(
        faces, toy_recipe(), two[:1], tmp_path / "cut", lambda *step: steps.append(step)
    )
    assert sum(calls) == 2 * (len(faces) - 48)
    np.testing.assert_array_equal(resumed.labels, whole)
    assert steps == [(min(s + 16, len(faces)), len(faces)) for s in range(0, len(faces), 16)]


def test_a_draft_does_not_count(faces, two, tmp_path, calls):
    whole = make_targets(faces, toy_recipe(), two[:1], tmp_path).labels
    [part] = tmp_path.glob("*/*.npz")
    half = part.read_bytes()[: part.stat().st_size // 2]
    part.with_suffix(f".{os.getpid()}.npz").write_bytes(half)
    part.unlink()
    calls.clear()
    np.testing.assert_array_equal(
        make_targets(faces, toy_recipe(), two[:1], tmp_path).labels, whole
    )
    assert sum(calls) == 2 * len(faces)
    assert [path.name for path in tmp_path.glob("*/*")] == [part.name]


@pytest.mark.parametrize("size", [0, 100, -100])
def test_a_damaged_part_does_not_count(faces, two, tmp_path, calls, size):
    whole = make_targets(faces, toy_recipe(), two[:1], tmp_path).labels
    [part] = tmp_path.glob("*/*.npz")
    part.write_bytes(part.read_bytes()[:size])
    calls.clear()
    np.testing.assert_array_equal(
        make_targets(faces, toy_recipe(), two[:1], tmp_path).labels, whole
    )
    assert sum(calls) == 2 * len(faces)


def test_recognisers_are_found_by_stars_names_and_absolute_paths(data, two):
    absolute = two[1].path
    found = find_recognisers(data, ("recognisers/*.onnx", str(absolute)))
    assert [model.path for model in found] == [data / "recognisers" / "toy.onnx", absolute]


@pytest.mark.parametrize("pattern", ["recognisers/absent.onnx", "elsewhere/*.onnx"])
def test_a_recogniser_that_is_not_there_is_told_with_how_to_make_one(data, pattern):
    with pytest.raises(TrainingError, match=r"found none.*models wrap"):
        find_recognisers(data, (pattern,))


def test_a_quality_model_is_no_recogniser(data, tmp_path):
    path = make_quality_model(tmp_path / "quality.onnx")
    with pytest.raises(TrainingError, match=r"quality\.onnx is a utility; expected a recogniser"):
        find_recognisers(data, (str(path),))


def test_a_recogniser_of_another_size_is_refused(faces, two, tmp_path):
    with pytest.raises(ModelError, match=f"{SIZE}.*112"):
        make_targets(faces, toy_recipe("size=112"), two[:1], tmp_path)


def test_no_recogniser_at_all_is_refused(data):
    with pytest.raises(TrainingError):
        find_recognisers(data, ())
