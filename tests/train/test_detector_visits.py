"""Which scenes a detector sees when: batches follow from the seed and their number alone."""

import numpy as np
import pytest
import torch
from numpy.random import default_rng

from facegauge.train.detector_visits import Scenes, Steps, joined
from facegauge.train.photographs import read_photographs
from facegauge.train.scenes import Scene, Settings, Studio
from toy_photographs import toy_recipe

SETTINGS = Settings(mosaic=0.5, empty=0.2, degraded=0.5, covered=0.3, upright=10.0)
KEYS = {"pixels", "boxes", "landmarks", "faces", "doubtful"}


@pytest.fixture(scope="module")
def studio(photos):
    return Studio(read_photographs(photos, (), 0.5), [], SETTINGS)


def assert_same(batch, other):
    assert batch.keys() == other.keys() == KEYS
    for key, values in batch.items():
        assert torch.equal(values, other[key]), key


def test_a_batch_follows_from_its_number_alone(studio, photos):
    chosen = toy_recipe("steps=6")
    whole = Steps(chosen, studio, 0)
    late = Steps(chosen, Studio(read_photographs(photos, (), 0.5), [], SETTINGS), 3)
    batches = [whole[number] for number in range(6)]
    for number in (2, 0, 1):  # in any order, from any process
        assert_same(late[number], batches[3 + number])
    pictures = [batch["pixels"][0, :16, :16].numpy().tobytes() for batch in batches]
    assert len(set(pictures)) == 6


def test_another_seed_shows_other_scenes(studio):
    one, again, other = (Steps(toy_recipe(f"seed={s}"), studio, 0)[0] for s in (0, 0, 1))
    assert_same(one, again)
    assert not torch.equal(one["pixels"], other["pixels"])


@pytest.mark.parametrize(("every", "wide"), [(1, {0, 1, 2, 3, 4, 5}), (3, {2, 5}), (9, set())])
def test_one_step_in_so_many_is_wide_and_has_fewer_scenes(studio, every, wide):
    chosen = toy_recipe("steps=3", f"every={every}", "batch=8")
    sizes = [
        tuple(Steps(chosen, studio, start)[place]["pixels"].shape)
        for start in (0, 3)
        for place in range(3)
    ]
    small, large = (8, 64, 64, 3), (2, 128, 128, 3)
    assert sizes == [large if number in wide else small for number in range(6)]


@pytest.mark.parametrize(
    ("batch", "wide", "count"), [(4, 128, 1), (1, 128, 1), (6, 128, 2), (9, 192, 1), (2, 64, 2)]
)
def test_a_wide_step_has_as_many_pixels_and_at_least_one_scene(studio, batch, wide, count):
    chosen = toy_recipe(f"batch={batch}", f"wide={wide}", "every=1")
    assert Steps(chosen, studio, 0)[0]["pixels"].shape == (count, wide, wide, 3)


def test_a_leg_has_its_steps_and_no_more(studio):
    steps = Steps(toy_recipe("steps=3"), studio, 0)
    assert len(steps) == 3
    with pytest.raises(IndexError):
        steps[3]


def test_a_batch_is_its_scenes(studio):
    chosen = toy_recipe()
    batch = Steps(chosen, studio, 0)[0]
    rng = default_rng((chosen.seed, 7, 0))
    for row in range(4):
        scene = studio.scene(64, rng)
        np.testing.assert_array_equal(batch["pixels"][row], scene.pixels)
        found = batch["boxes"][row][batch["faces"][row]]
        np.testing.assert_array_equal(found, scene.boxes[scene.sure].astype(np.float32))


def scene(count, sure=()):
    boxes = np.arange(4.0 * count).reshape(count, 4)
    return Scene(
        pixels=np.full((8, 8, 3), count, np.uint8),
        boxes=boxes,
        landmarks=np.arange(10.0 * count).reshape(count, 5, 2),
        sure=np.isin(np.arange(count), sure),
    )


def test_faces_are_padded_and_marked():
    batch = joined([scene(1, [0]), scene(3, [1]), scene(0)])
    assert batch.keys() == KEYS
    assert batch["faces"].tolist() == [[True, False, False], [False, True, False], [False] * 3]
    assert batch["doubtful"].tolist() == [[False] * 3, [True, False, True], [False] * 3]
    assert batch["boxes"].shape == (3, 3, 4)
    assert batch["boxes"][1].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert batch["boxes"][0, 1:].abs().sum() == batch["boxes"][2].abs().sum() == 0
    assert batch["landmarks"][1, 1].tolist() == list(range(10, 20))
    assert batch["pixels"][:, 0, 0, 0].tolist() == [1, 3, 0]
    assert batch["boxes"].dtype == batch["landmarks"].dtype == torch.float32
    assert batch["pixels"].dtype == torch.uint8


@pytest.mark.parametrize("count", [1, 2])
def test_a_batch_without_faces_has_one_row_of_padding(count):
    batch = joined([scene(0)] * count)
    assert batch["boxes"].shape == (count, 1, 4)
    assert batch["landmarks"].shape == (count, 1, 10)
    assert not batch["faces"].any()
    assert not batch["doubtful"].any()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_leg_has_its_own_steps(studio, workers):
    class Trainer:
        current_epoch = 3

    chosen = toy_recipe("steps=2")
    scenes = Scenes(chosen, studio, workers)
    first = list(scenes.train_dataloader())
    scenes.trainer = Trainer()
    loader = scenes.train_dataloader()
    assert len(loader) == 2
    for place, batch in enumerate(loader):
        assert_same(batch, Steps(chosen, studio, 6)[place])
    for place, batch in enumerate(first):
        assert_same(batch, Steps(chosen, studio, 0)[place])
