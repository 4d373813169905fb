"""Rated pictures: who is learned from, what a visit sees, and what cannot be used."""

import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from facegauge.errors import TrainingError
from facegauge.train.ratings import Look, Rated, centres, read_folder, read_ratings
from toy_faces import change_table, read_table
from toy_ratings import SIZE, TRAINING, UNLABELLED, VALIDATION, make_ratings, toy_recipe


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_ratings(tmp_path_factory.mktemp("ratings") / "data")


@pytest.fixture
def copied(data, tmp_path):
    return shutil.copytree(data, tmp_path / "data")


def read(data, name="labels", share=0.2, seed=0):
    return read_ratings(data, name, held_out=share, seed=seed)


def test_the_split_of_the_table_holds_and_test_rows_are_not_even_looked_at(data):
    for name in ("labels", "labels.csv"):
        found = read(data, name)
        assert len(found.learned()) == TRAINING
        assert len(found.held_out()) == VALIDATION
        assert all(path.is_file() for path in found.paths)


def test_without_a_split_a_share_of_the_sources_is_held_out_by_the_seed(copied):
    drop = lambda row: None if row["split"] == "test" else {**row, "split": ""}  # noqa: E731
    change_table(copied / "labels.csv", drop)
    found = read(copied, share=0.6)
    assert len(found.held_out()) == 60
    sources = {row["path"]: row["source"] for row in read_table(copied / "labels.csv")}
    apart = [{sources[p.name] for p in part.paths} for part in (found.learned(), found.held_out())]
    assert not apart[0] & apart[1]
    same, other = read(copied, share=0.6), read(copied, share=0.6, seed=1)
    assert (same.validation == found.validation).all()
    assert (other.validation != found.validation).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: {**row, "label": "good"}, "finite label for 0.png, got 'good'"),
        (lambda row: {**row, "label": "nan"}, "finite label"),
        (lambda row: {**row, "split": "exam"}, "expected the split"),
        (lambda row: {**row, "label": "1"}, "of different labels"),
        (lambda row: None if row["split"] == "validation" else row, "50 or more to hold out"),
    ],
)
def test_labels_that_cannot_serve_are_refused(copied, change, message):
    change_table(copied / "labels.csv", change)
    with pytest.raises(TrainingError, match=message):
        read(copied)


def test_a_table_that_is_not_there_is_told_how_to_make(data):
    with pytest.raises(TrainingError, match="found no table.*facegauge label full-reference"):
        read(data, "none")


def test_a_folder_has_its_pictures_and_a_table_beside_it_their_split(data, copied):
    assert len(read_folder(data, "a")) == UNLABELLED
    (copied / "a.csv").write_text("path,split\n1000.png,\n1001.png,test\n1002.png,train\n")
    assert [path.name for path in read_folder(copied, "a")] == ["1000.png", "1002.png"]


@pytest.mark.parametrize("name", ["", "none", "empty"])
def test_no_folder_and_no_picture_are_refused(copied, name):
    (copied / "empty").mkdir()
    with pytest.raises(TrainingError, match="folder of pictures"):
        read_folder(copied, name)


@pytest.fixture(scope="module")
def ramp(tmp_path_factory):
    """A picture in which every pixel says where it is."""
    down, across = np.mgrid[0:60, 0:90]
    pixels = np.stack([down, across, 0 * down], axis=2).astype(np.uint8)
    path = tmp_path_factory.mktemp("ramp") / "ramp.png"
    Image.fromarray(pixels).save(path)
    return path


def test_the_centre_is_the_centre_and_a_visit_any_part(ramp):
    look = Look.of(toy_recipe("size=40", "short_side=60", "mirror=0"))
    assert look.centre(ramp)[0, 0].tolist() == [10, 25, 0]
    corners = [look.visited(ramp, visit)[0, 0] for visit in range(400)]
    downs, acrosses = np.array(corners)[:, :2].T
    assert (downs.min(), downs.max()) == (0, 20)
    assert (acrosses.min(), acrosses.max()) == (0, 50)
    assert abs(downs.mean() - 10) < 1
    assert look.visited(ramp, 7).tolist() == look.visited(ramp, 7).tolist()


def test_half_of_the_visits_are_mirrored(ramp):
    look = Look.of(toy_recipe("size=60", "mirror=0.5"))
    parts = [look.visited(ramp, visit).astype(int) for visit in range(200)]
    assert 75 < sum(part[0, 0, 1] > part[0, -1, 1] for part in parts) < 125


def test_the_four_looks_are_centre_mirror_image_and_both_ends(ramp):
    four = Look.of(toy_recipe("size=40", "short_side=60")).four(ramp)
    assert four[:, 0, 0, :2].tolist() == [[10, 25], [10, 64], [0, 0], [20, 50]]


def test_every_turn_sees_every_picture_once(data):
    ratings = read(data).learned()
    rated = Rated(ratings, Look.of(toy_recipe()))
    for turn in range(2):
        seen = [rated[turn * TRAINING + at] for at in range(TRAINING)]
        assert Counter(float(each["labels"]) for each in seen) == Counter(ratings.labels.tolist())
    assert seen[0]["pixels"].shape == (SIZE, SIZE, 3)


def test_more_pictures_are_learned_from_and_never_held_out(data):
    ratings = read(data)
    more = ratings.joined(read_folder(data, "a"), np.full(UNLABELLED, 0.5))
    assert len(more.learned()) == TRAINING + UNLABELLED
    assert more.held_out().paths == ratings.held_out().paths


def test_centres_come_in_batches(data):
    found = list(centres(read_folder(data, "a"), Look.of(toy_recipe()), size=10))
    assert [len(each) for each in found] == [10, 10, 10, 10, 10, 4]
