"""Which crop is seen when, counted out."""

from collections import Counter

import numpy as np
import pytest

from facegauge.train.faces import read_faces
from facegauge.train.targets import Targets
from facegauge.train.views import Views
from facegauge.train.visits import Crops, Visits, _Leg
from toy_faces import toy_recipe


def make(kind, data, *changes, **more):
    chosen, faces = toy_recipe(*changes), read_faces(data)
    labels = np.arange(len(faces) * chosen.views * 2, dtype=np.float32)
    embeddings = (np.arange(len(faces) * 16, dtype=np.float32).reshape(-1, 16),)
    targets = Targets(labels=labels.reshape(len(faces), -1, 2), embeddings=embeddings)
    return kind(chosen, Views(faces=faces, recipe=chosen), targets, **more)


@pytest.mark.parametrize("views", [1, 2, 4])
def test_each_turn_shows_the_clean_view_as_often_as_all_degraded_ones(data, views):
    crops = make(Crops, data, f"views={views}")
    slots = max(1, 2 * (views - 1))
    count = slots * len(crops.training)
    turns = [[crops._drawn(n) for n in range(t * count, (t + 1) * count)] for t in (0, 1)]
    wanted = {(int(face), 0): max(1, views - 1) for face in crops.training}
    wanted |= {(int(face), view): 1 for face in crops.training for view in range(1, views)}
    assert Counter(turns[0]) == Counter(turns[1]) == wanted
    assert turns[0] != turns[1]
    assert crops._drawn(5) == turns[0][5]  # in any order, from any process


def test_validation_faces_are_never_trained_on(data):
    crops = make(Crops, data)
    held = set(np.flatnonzero(read_faces(data).validation).tolist())
    assert held
    assert not {crops._drawn(visit)[0] for visit in range(500)} & held


def test_another_seed_is_another_order(data):
    orders = [
        [make(Crops, data, f"seed={seed}")._drawn(visit) for visit in range(20)]
        for seed in (0, 0, 1)
    ]
    assert orders[0] == orders[1] != orders[2]


def test_a_crop_comes_with_what_the_student_must_answer(data):
    crops = make(Crops, data)
    for visit in (0, 7):
        face, view = crops._drawn(visit)
        item = crops[visit]
        assert item.keys() == {"pixels", "labels", "embedding0"}
        np.testing.assert_array_equal(item["pixels"], crops.views.visited(face, view, visit))
        np.testing.assert_array_equal(item["labels"], crops.targets.labels[face, view])
        np.testing.assert_array_equal(item["embedding0"], crops.targets.embeddings[0][face])


def test_a_leg_has_its_own_visits(data):
    class Trainer:
        current_epoch, global_rank, world_size = 3, 0, 1

    visits = make(Visits, data, "steps=5", "batch=4", workers=0)
    assert list(visits.train_dataloader().sampler) == list(range(20))
    visits.trainer = Trainer()
    loader = visits.train_dataloader()
    assert list(loader.sampler) == list(range(60, 80))
    assert len(loader) == 5
    batch = next(iter(loader))
    np.testing.assert_array_equal(batch["pixels"][2].numpy(), visits.crops[62]["pixels"])


@pytest.mark.parametrize("devices", [1, 2, 4])
def test_devices_share_each_batch_and_no_visit_is_seen_twice(devices):
    """Which visits a step sees does not depend on how many devices share it."""
    parts = [list(_Leg(40, 24, 8, rank, devices)) for rank in range(devices)]
    own = 8 // devices
    assert [len(_Leg(40, 24, 8, 0, devices))] * devices == [len(part) for part in parts]
    for step in range(3):
        seen = [part[step * own : (step + 1) * own] for part in parts]
        assert [visit for part in seen for visit in part] == list(
            range(40 + 8 * step, 48 + 8 * step)
        )
