"""Tables of faces become photographs; the test split stays unseen; wrong tables are told."""

import pickle
import zlib

import cv2
import numpy as np
import pytest

from facegauge import images
from facegauge.errors import TrainingError
from facegauge.train.photographs import Shelf, read_backgrounds, read_photographs
from toy_faces import change_table, read_table, write_table
from toy_photographs import EMPTY, TEST, TRAINING, VALIDATION, YARD


def named(photographs):
    return {each.path.name: each for each in photographs}


def test_all_tables_with_boxes_and_landmarks_are_read(photos):
    found = read_photographs(photos, (), 0.5)
    assert len(found) == TRAINING + VALIDATION + YARD
    assert {each.table for each in found} == {"street", "yard"}
    assert all(each.path.is_file() and each.path.parent.name == each.table for each in found)
    assert all(each.landmarks.shape == (len(each.boxes), 5, 2) for each in found)
    assert all(each.sure.shape == (len(each.boxes),) for each in found)


def test_only_the_named_tables_are_read(photos):
    assert {each.table for each in read_photographs(photos, ("yard",), 0.5)} == {"yard"}


def test_a_picture_has_all_its_faces_in_the_order_of_the_table(photos):
    rows = [row for row in read_table(photos / "street.csv") if row["path"] == "walker2.png"]
    found = named(read_photographs(photos, ("street",), 0.5))["walker2.png"]
    assert found.boxes.tolist() == [[float(r[k]) for k in ("x0", "y0", "x1", "y1")] for r in rows]
    assert found.landmarks[:, 2, 1].tolist() == [float(row["y_nose"]) for row in rows]
    assert found.landmarks[1, 4].tolist() == [
        float(rows[1][key]) for key in ("x_right_mouth", "y_right_mouth")
    ]
    assert found.sure.tolist() == [True, True]


def test_rows_of_the_test_split_are_never_loaded(photos):
    listed = {row["path"] for row in read_table(photos / "street.csv") if row["split"] == "test"}
    assert len(listed) == TEST
    assert not any((photos / "street" / name).exists() for name in listed)
    assert not listed & set(named(read_photographs(photos, (), 0.5)))


def test_a_picture_with_one_face_for_testing_is_not_loaded_at_all(own_photos):
    rows = read_table(own_photos / "street.csv")
    next(row for row in rows if row["path"] == "walker1.png")["split"] = "test"
    write_table(own_photos / "street.csv", rows)
    assert "walker1.png" not in named(read_photographs(own_photos, (), 0.5))


def test_what_a_test_row_says_is_not_even_looked_at(own_photos):
    change_table(
        own_photos / "street.csv",
        lambda row: {**row, "x0": "broken"} if row["split"] == "test" else row,
    )
    assert len(read_photographs(own_photos, ("street",), 0.5)) == TRAINING + VALIDATION


def test_a_validation_split_says_who_is_held_out(photos):
    photographs = read_photographs(photos, ("street",), 0.5)
    assert [each.path.name for each in photographs] == [f"walker{i}.png" for i in range(9)]
    assert [each.validation for each in photographs] == 6 * [False] + 3 * [True]


def test_one_face_for_validation_holds_out_its_picture(own_photos):
    rows = read_table(own_photos / "street.csv")
    next(row for row in rows if row["path"] == "walker1.png")["split"] = "validation"
    write_table(own_photos / "street.csv", rows)
    found = named(read_photographs(own_photos, ("street",), 0.5))["walker1.png"]
    assert found.validation
    assert len(found.boxes) == 2


@pytest.mark.parametrize("split", [None, "", "train"])
def test_without_a_validation_split_one_picture_in_ten_is_held_out(own_photos, split):
    rows = read_table(own_photos / "yard.csv")
    more = [dict(rows[i % YARD], path=f"{i:03}.png") for i in range(400)]
    write_table(
        own_photos / "yard.csv", more if split is None else [{**r, "split": split} for r in more]
    )
    found = read_photographs(own_photos, ("yard",), 0.5)
    wanted = [zlib.crc32(f"{i:03}.png".encode()) % 10 == 0 for i in range(400)]
    assert [each.validation for each in found] == wanted
    assert 0.05 < np.mean(wanted) < 0.15
    write_table(own_photos / "yard.csv", [dict(row, split="") for row in more[100:300]])
    fewer = read_photographs(own_photos, ("yard",), 0.5)
    assert [each.validation for each in fewer] == wanted[100:300]  # of each picture by itself


@pytest.mark.parametrize(
    ("confidence", "surest", "sure"),
    [
        ("0.9", 0.5, True),
        ("0.5", 0.5, True),
        ("0.499", 0.5, False),
        ("0", 0.0, True),
        ("0", 0.1, False),
        ("", 1.0, True),
        ("nan", 0.5, False),
    ],
)
def test_faces_below_the_surest_are_doubtful(own_photos, confidence, surest, sure):
    rows = read_table(own_photos / "yard.csv")
    rows[3]["confidence"] = confidence
    write_table(own_photos / "yard.csv", rows)
    found = read_photographs(own_photos, ("yard",), surest)
    assert found[3].sure.tolist() == [sure]
    assert all(each.sure.all() for each in found[:3]) == (surest <= 0.9)


def test_without_confidence_every_face_is_sure(photos):
    found = read_photographs(photos, ("street",), 1.0)
    assert all(each.sure.all() for each in found)


def test_a_table_without_boxes_is_passed_over_unless_it_is_named(own_photos, data):
    (own_photos / "strangers").symlink_to(data / "strangers")
    (own_photos / "strangers.csv").write_bytes((data / "strangers.csv").read_bytes())
    (own_photos / "empty.csv").write_text("")
    assert len(read_photographs(own_photos, (), 0.5)) == TRAINING + VALIDATION + YARD
    with pytest.raises(TrainingError, match=r"strangers\.csv lacks the columns x0, x1, y0, y1"):
        read_photographs(own_photos, ("strangers",), 0.5)


def test_a_byte_order_mark_and_paths_made_on_windows_are_tolerated(own_photos):
    change_table(own_photos / "yard.csv", lambda row: {**row, "path": ".\\" + row["path"]})
    text = (own_photos / "yard.csv").read_text()
    (own_photos / "yard.csv").write_text(text, encoding="utf-8-sig")
    found = read_photographs(own_photos, (), 0.5)
    assert all(each.path.is_file() for each in found)
    assert sum(each.table == "yard" for each in found) == YARD


@pytest.mark.parametrize("name", ["absent", "yard"])
def test_a_table_or_its_pictures_that_are_missing_are_named(own_photos, name):
    (own_photos / "yard").rename(own_photos / "elsewhere")
    with pytest.raises(TrainingError, match=rf"{name}\.csv and its pictures in .*{name}"):
        read_photographs(own_photos, (name,), 0.5)


def test_a_folder_without_tables_is_told_what_a_table_is(tmp_path):
    with pytest.raises(TrainingError, match=r"0 and 0 from tables none.*x_left_eye.*x0"):
        read_photographs(tmp_path, (), 0.5)


@pytest.mark.parametrize(("picture", "counts"), [("walker0", "1 and 0"), ("walker6", "0 and 1")])
def test_photographs_are_needed_for_training_and_for_validation(own_photos, picture, counts):
    assert zlib.crc32(b"walker0.png") % 10  # not one of the tenth that is held out
    rows = read_table(own_photos / "street.csv")
    write_table(own_photos / "street.csv", [r for r in rows if r["path"] == f"{picture}.png"])
    with pytest.raises(TrainingError, match=f"got {counts} from tables street"):
        read_photographs(own_photos, ("street",), 0.5)


@pytest.mark.parametrize("split", ["Test", " test", "val", "holdout"])
def test_an_unknown_split_is_refused_with_its_row(own_photos, split):
    change_table(
        own_photos / "street.csv", lambda row: {**row, "split": row["split"].replace("test", split)}
    )
    with pytest.raises(TrainingError, match=r"street\.csv, row \d+: .*train, validation, test"):
        read_photographs(own_photos, (), 0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x0": "left"}, "left"),
        ({"x0": ""}, "could not convert"),
        ({"x0": "nan"}, "four finite numbers"),
        ({"x0": "900"}, "x1 > x0"),
        ({"y1": "-5"}, "y1 > y0"),
        ({"y_nose": "inf"}, "five finite points"),
        ({"confidence": "high"}, "high"),
    ],
)
def test_a_row_that_is_no_face_is_told_with_its_picture(own_photos, change, message):
    rows = read_table(own_photos / "yard.csv")
    rows[3] |= change
    write_table(own_photos / "yard.csv", rows)
    with pytest.raises(TrainingError, match=rf"yard/neighbour3\.png.*{message}"):
        read_photographs(own_photos, (), 0.5)


def test_a_line_that_is_cut_off_is_told(own_photos):
    table = own_photos / "yard.csv"
    table.write_text(table.read_text().rstrip().rsplit(",", 3)[0] + "\n")
    with pytest.raises(TrainingError, match=r"yard/neighbour19\.png"):
        read_photographs(own_photos, (), 0.5)


def test_backgrounds_are_all_pictures_of_their_folders_without_faces(own_photos):
    (own_photos / "empty" / "notes.txt").write_text("no picture")
    (own_photos / "empty" / "0.png").rename(own_photos / "empty" / "0.PNG")
    found = read_backgrounds(own_photos, ("empty", "yard"))
    assert len(found) == EMPTY + YARD
    assert {each.path.name for each in found[:EMPTY]} == {"0.PNG", "1.png"}
    assert not any(each.validation for each in found)
    for each in found:
        assert each.boxes.shape == (0, 4)
        assert each.landmarks.shape == (0, 5, 2)
        assert each.sure.shape == (0,)
    assert read_backgrounds(own_photos, ()) == []


@pytest.mark.parametrize("name", ["absent", "bare"])
def test_a_folder_without_backgrounds_is_named(own_photos, name):
    (own_photos / "bare").mkdir()
    (own_photos / "bare" / "notes.txt").write_text("no picture")
    with pytest.raises(TrainingError, match=f"pictures without faces in .*{name}, got none"):
        read_backgrounds(own_photos, ("empty", name))


@pytest.fixture
def pictures(tmp_path):
    """Five pictures of 300 bytes each."""
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for number, path in enumerate(paths):
        cv2.imwrite(str(path), np.full((10, 10, 3), 10 * number, np.uint8))
    return paths


@pytest.fixture
def opened(monkeypatch):
    read, seen = images.read, []
    monkeypatch.setattr(images, "read", lambda path: seen.append(path.stem) or read(path))
    return seen


def test_a_shelf_gives_a_picture_again_without_reading_it(pictures, opened):
    shelf = Shelf()
    for _ in range(2):
        for number, path in enumerate(pictures):
            pixels = shelf.pixels(path)
            assert pixels.shape == (10, 10, 3)
            assert (pixels == 10 * number).all()
    assert opened == list("01234")


def test_a_shelf_keeps_within_its_room_what_was_seen_last(pictures, opened):
    shelf = Shelf(room=1000)
    for number in (0, 1, 2, 0, 3, 0, 4, 1):
        shelf.pixels(pictures[number])
        assert shelf.taken == sum(each.nbytes for each in shelf.kept.values()) <= 1000
    assert opened == list("012341")
    assert [path.stem for path in shelf.kept] == ["0", "4", "1"]


def test_a_shelf_is_filled_before_there_are_more_processes(pictures, opened):
    shelf = Shelf(room=1300)
    shelf.fill(pictures)
    assert opened == list("0123")  # there is no room for a fifth
    assert shelf.taken == 1200
    roomy = Shelf()
    roomy.fill(pictures)
    assert list(roomy.kept) == pictures


def test_a_shelf_travels_empty(pictures):
    shelf = Shelf(room=1000)
    shelf.fill(pictures)
    copy = pickle.loads(pickle.dumps(shelf))  # noqa: S301
    assert (copy.room, copy.taken, len(copy.kept)) == (1000, 0, 0)
    assert (copy.pixels(pictures[3]) == 30).all()


def test_a_picture_larger_than_the_room_is_given_all_the_same(pictures, opened):
    shelf = Shelf(room=100)
    for number in (0, 1, 1, 0):
        assert (shelf.pixels(pictures[number]) == 10 * number).all()
        assert len(shelf.kept) == 1
    assert opened == list("010")
