"""What visits see: crops from landmarks that are off, and what is to be answered of each view."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from facegauge import alignment
from facegauge.cards import Crop, View
from facegauge.train.alignment_visits import (
    LEAST,
    AlignedViews,
    Expected,
    Misaligned,
    expected,
    left_of_similarity,
    sloppiness_of,
    spoiled,
)
from facegauge.train.answers import Answers
from facegauge.train.blended_labels import Taught
from facegauge.train.faces import UNKNOWN, read_faces
from facegauge.values import Landmarks
from toy_faces import SIZE
from toy_techniques import toy_technique

PLAIN = ("mirrored=0", "jitter=0", "roll=0", "zoom=0", "shift=0", "degraded=0")
CROP = Crop(view=View.ALIGNED, size=SIZE)


@pytest.fixture(scope="module")
def faces(data):
    return read_faces(data)


def made(faces, *changes, others=None, live=()):
    chosen = toy_technique("ai-kd-xxs", *PLAIN, *changes)
    count = len(faces)
    numbers = np.arange(count, dtype=np.float32)
    targets = Expected(
        labels=np.stack([numbers, numbers + 0.5], axis=1),
        weights=numbers / count,
        embeddings=(numbers[:, None], -numbers[:, None]),
    )
    return Misaligned(chosen, faces, ((),) * count if others is None else others, targets, live)


def test_without_sloppiness_a_visit_sees_the_aligned_face(faces):
    visits = made(faces)
    for visit in (0, 5):
        face, found = visits.face(visit), visits[visit]
        crop = alignment.align(faces.pixels(face), faces.points(face), SIZE)
        np.testing.assert_array_equal(found["pixels"], crop)
        assert found["labels"] == face
        assert found["weights"] == np.float32(face / len(faces))
        assert found["embedding0"].tolist() == [face]
        assert found["embedding1"].tolist() == [-face]


def test_each_turn_sees_each_training_face_once(faces):
    visits = made(faces)
    count = int((~faces.validation).sum())
    turns = [[visits.face(turn * count + n) for n in range(count)] for turn in range(2)]
    assert all(Counter(turn) == Counter(np.flatnonzero(~faces.validation)) for turn in turns)
    assert turns[0] != turns[1]


@pytest.mark.parametrize(
    "change",
    [
        "jitter=0.1",
        "jitter_pixels=3",
        "roll=9",
        "zoom=0.2",
        "shift=0.2",
        "mirrored=1",
        "degraded=1",
    ],
)
def test_every_visit_is_fresh_and_follows_from_its_number(faces, change):
    visits, clean = made(faces, change), made(faces)
    count = len(visits.learned)
    assert visits.face(0) in {visits.face(count + n) for n in range(count)}
    again = next(count + n for n in range(count) if visits.face(count + n) == visits.face(0))
    assert not np.array_equal(visits[0]["pixels"], clean[0]["pixels"])
    np.testing.assert_array_equal(visits[0]["pixels"], made(faces, change)[0]["pixels"])
    if change not in ("mirrored=1", "degraded=1"):
        assert not np.array_equal(visits[0]["pixels"], visits[again]["pixels"])
        assert visits[0]["labels"] == visits[again]["labels"] == visits.face(0)


def test_noise_never_reaches_the_landmarks_of_the_run(faces):
    before = faces.landmarks.copy()
    visits = made(faces, "jitter_pixels=3", "roll=9")
    for visit in range(60):
        visits[visit]
    np.testing.assert_array_equal(faces.landmarks, before)


def test_landmarks_of_another_detector_are_taken(faces):
    others = tuple((Landmarks.from_array(each + [4, -2]),) for each in faces.landmarks)
    visits = made(faces, "swaps=1", "swap_tables=a.csv", others=others)
    face = visits.face(2)
    crop = alignment.align(faces.pixels(face), others[face][0], SIZE)
    np.testing.assert_array_equal(visits[2]["pixels"], crop)


def test_a_degraded_view_is_answered_as_what_is_left_of_it(faces):
    found = made(faces, "degraded=1")
    face = found.face(1)
    crop = alignment.align(faces.pixels(face), faces.points(face), SIZE)
    np.testing.assert_array_equal(found[1]["pixels"], spoiled(crop, 0, face, 1))
    assert found[1]["labels"] == face + 0.5
    some = [made(faces, "degraded=0.5")[n]["labels"] % 1 for n in range(40)]
    assert 0.2 < np.mean(some) / 0.5 < 0.8


def test_a_live_recogniser_sees_the_aligned_face_whatever_the_student_sees(faces):
    views = AlignedViews(faces=faces, crop=CROP, count=1, seed=0)
    visits = made(faces, "jitter=0.3", "mirrored=1", "degraded=1", live=(views,))
    face = visits.face(3)
    np.testing.assert_array_equal(visits[3]["aligned0"], views.aligned(face, 0))
    assert not np.array_equal(visits[3]["pixels"], visits[3]["aligned0"])


def test_views_are_cut_as_the_recogniser_wants_them(faces):
    wanted = alignment.align(faces.pixels(0), faces.points(0), 32, "reference")
    crop = Crop(view=View.ALIGNED, size=32, resampling="reference")
    views = AlignedViews(faces=faces, crop=crop, count=3, seed=7)
    np.testing.assert_array_equal(views.aligned(0, 0), wanted)
    np.testing.assert_array_equal(views.aligned(0, 2), spoiled(wanted, 7, 0, 2))
    assert views.key() != AlignedViews(faces=faces, crop=CROP, count=3, seed=7).key()


def unit(values):
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


@pytest.fixture
def people(faces):
    """Faces of three people, one of them alone, and one of nobody; embeddings 7×3×4."""
    codes = np.array([0, 0, 0, 1, 1, 2, UNKNOWN])
    embeddings = np.random.default_rng(3).normal(size=(7, 3, 4)).astype(np.float32)
    embeddings[:3] += 2.0
    return unit(embeddings), replace(faces, identities=codes)


def slow_left(embeddings, codes):
    found = np.ones(embeddings.shape[:2])
    for face, code in enumerate(codes):
        others = [n for n in range(len(codes)) if n != face and codes[n] == code != UNKNOWN]
        mate = unit(sum(embeddings[n, 0] for n in others)) if others else embeddings[face, 0]
        if others and embeddings[face, 0] @ mate < LEAST:
            mate = embeddings[face, 0]
        for view in range(1, embeddings.shape[1]):
            ratio = (embeddings[face, view] @ mate) / (embeddings[face, 0] @ mate)
            found[face, view] = min(1.0, max(0.0, ratio))
    return found


def test_what_is_left_is_the_share_of_the_similarity_to_the_mates(people):
    embeddings, faces = people
    found = left_of_similarity(embeddings, faces)
    np.testing.assert_allclose(found, slow_left(embeddings, faces.identities), atol=1e-5)
    assert (found[:, 0] == 1).all()
    assert (found[:, 1:] < 1).mean() > 0


@pytest.mark.parametrize("fall", [0.0, 1.0, 2.0])
def test_labels_fall_with_it(people, fall):
    embeddings, faces = people
    labels = np.array([0.5, np.nan, 1, 0, 0.2, 0.3, 0.4], dtype=np.float32)
    answers = [Answers(embeddings=embeddings, norms=np.ones((7, 3), dtype=np.float32))] * 2
    found = expected(Taught(labels=labels, weights=np.ones(7)), answers, faces, fall)
    wanted = labels[:, None] * slow_left(embeddings, faces.identities) ** fall
    np.testing.assert_allclose(found.labels, wanted, atol=1e-5)
    np.testing.assert_array_equal(found.embeddings[1], embeddings[:, 0])


def test_a_recipe_says_how_sloppy():
    changes = ("jitter=0", "jitter_pixels=2", "roll=3", "zoom=0.1", "shift=0.2")
    found = sloppiness_of(toy_technique("ai-kd-xxs", *changes, "swaps=0.5", "swap_tables=a"))
    values = (found.pixels, found.relative, found.roll, found.zoom, found.shift, found.swaps)
    assert values == (2, 0, 3, 0.1, 0.2, 0.5)
