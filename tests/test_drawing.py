import logging

import numpy as np
import pytest
from PIL import Image

from broken_images import encoded
from facegauge import images
from facegauge.alignment import TEMPLATE
from facegauge.drawing import FAIR, GOOD, LONGEST_SIDE, NO_SCORE, POOR, Drawings, drawn
from facegauge.errors import OptionError
from facegauge.values import Assessment, Box, Face, Landmarks, Outcome
from facegauge.walk import Found, find_images
from packed import packed

BLUE = (30, 40, 90)


def picture(width: int = 400, height: int = 300) -> np.ndarray:
    return np.full((height, width, 3), BLUE, np.uint8)


def face(x0: float = 100, y0: float = 120, side: float = 112) -> Face:
    points = Landmarks.from_array(TEMPLATE * side / 112 + [x0, y0])
    return Face(box=Box(x0=x0, y0=y0, x1=x0 + side, y1=y0 + side), landmarks=points)


def assessment(score: float | None, face: Face | None = None, outcome="no_face") -> Assessment:
    if score is None:
        return Assessment(outcome=Outcome(outcome), face=face)
    return Assessment(outcome=Outcome.SCORED, score=score, raw=0.5, face=face)


def shown(*assessments: Assessment, width: int = 400, height: int = 300) -> np.ndarray:
    return np.asarray(drawn(images.read(picture(width, height)), assessments)).astype(int)


def share(pixels: np.ndarray, colour: tuple[int, int, int]) -> float:
    """How many of the pixels have a colour, 0..1."""
    return float((np.abs(pixels - colour).max(axis=-1) <= 12).mean())


@pytest.mark.parametrize(
    ("score", "colour"),
    [
        *((0.0, POOR), (29.99, POOR), (30.0, FAIR), (59.9, FAIR), (60.0, GOOD), (100.0, GOOD)),
        (None, NO_SCORE),
    ],
)
def test_the_colour_of_a_box_tells_the_score(score, colour):
    seen = shown(assessment(score, face(), "too_small"))
    for edge in (seen[130:225, 100], seen[130:225, 212], seen[232, 105:205]):
        assert share(edge, colour) == 1.0
    assert share(seen[140:220, 103:113], BLUE) == 1.0  # nothing is filled
    assert share(seen[240:, :], BLUE) == 1.0


def test_landmarks_are_dots():
    seen = shown(assessment(99.0, face()))
    for x, y in face().landmarks.array().round().astype(int):
        assert share(seen[y : y + 1, x : x + 1], GOOD) == 1.0
        assert share(seen[y - 6, x - 6 : x + 6], BLUE) == 1.0


@pytest.mark.parametrize(
    ("place", "rows", "columns"),
    [
        (face(), (104, 119), (100, 112)),  # above the box
        (face(100, 2), (4, 16), (100, 112)),  # inside, where there is no room above
        (face(385, 120, 60), (106, 119), (371, 384)),  # moved into the picture
        (None, (0, 14), (0, 12)),  # no face: the top left corner
    ],
)
def test_the_label_stands_out_and_in_the_picture(place, rows, columns):
    seen = shown(assessment(87.3, place))
    label = seen[slice(*rows), slice(*columns)]
    assert share(label, GOOD) > 0.5
    assert 0 < share(label, (255, 255, 255)) < 0.4


@pytest.mark.parametrize("outcome", ["no_face", "too_small", "cut_off", "several_faces"])
def test_an_outcome_without_a_face_is_in_the_corner(outcome):
    seen = shown(assessment(None, None, outcome))
    assert share(seen[:3, :30], NO_SCORE) == 1.0
    assert share(seen[30:], BLUE) == share(seen[:, 120:], BLUE) == 1.0
    assert share(shown(assessment(None, None, outcome)), NO_SCORE) > 30 * 8 / (400 * 300)


def test_a_box_is_drawn_around_landmarks_alone():
    points = face().landmarks
    seen = shown(assessment(99.0, Face(landmarks=points)))
    drawn_rows, drawn_columns = np.nonzero(np.abs(seen - GOOD).max(axis=-1) <= 12)
    (left, top), (right, bottom) = points.array().min(axis=0), points.array().max(axis=0)
    assert drawn_columns.min() < left - 15
    assert right + 15 < drawn_columns.max() < 250
    assert bottom + 15 < drawn_rows.max() < 250
    assert drawn_rows.min() < top


def test_all_faces_are_drawn():
    two = [assessment(90.0, face(20, 60, 100)), assessment(10.0, face(220, 60, 100))]
    seen = shown(*two)
    assert share(seen[:, :200], GOOD) > 0.01 < share(seen[:, 200:], POOR)
    assert share(seen[:, :200], POOR) == share(seen[:, 200:], GOOD) == 0.0


@pytest.mark.parametrize("width", [400, 1600])
def test_lines_grow_with_the_picture(width):
    scale = width // 400
    large = face(100 * scale, 120 * scale, 112 * scale)
    seen = shown(assessment(99.0, large), width=width, height=300 * scale)
    row = seen[200 * scale, 90 * scale : 110 * scale]
    assert (np.abs(row - GOOD).max(axis=-1) <= 12).sum() == max(2, 5 * scale // 4)


def test_a_large_picture_is_reduced_and_its_faces_stay_in_place():
    content = encoded(Image.fromarray(picture(6400, 4800)), "JPEG")
    read = images.read(content, short_side=1200)
    assert read.reduction == 4
    seen = drawn(read, [assessment(99.0, face(1600, 1920, 1792))])
    assert seen.size == (LONGEST_SIDE, 1200)
    pixels = np.asarray(seen).astype(int)
    assert share(pixels[500:900, 401], GOOD) == 1.0
    assert share(pixels[500:900, 847], GOOD) == 1.0
    assert share(pixels[500:900, 390:398], BLUE) == 1.0


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (20, 20)])
def test_the_smallest_picture_can_be_drawn_on(size):
    seen = drawn(images.read(picture(*size)), [assessment(50.0, face()), assessment(None)])
    assert seen.size == size


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "anna").mkdir(parents=True)
    for name in ("a.jpg", "a.png", "a.png.jpg", "anna/b.PNG"):
        form = "JPEG" if name.endswith("jpg") else "PNG"
        Image.fromarray(picture()).save(folder / name, form)
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def found(photos, name: str) -> Found:
    return Found(path=photos / name, name=name)


def names(folder) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    )


def test_every_picture_has_a_drawing_of_its_own(photos, tmp_path):
    drawings = Drawings(tmp_path / "out", [photos])
    for name in ("a.jpg", "a.png", "a.png.jpg", "anna/b.PNG"):
        drawings.draw(found(photos, name), [assessment(99.0, face())])
    assert names(tmp_path / "out") == ["a.jpg", "a.png.jpg", "a.png.jpg.jpg", "anna/b.PNG.jpg"]
    with Image.open(tmp_path / "out" / "anna" / "b.PNG.jpg") as written:
        assert (written.format, written.size) == ("JPEG", (400, 300))
        assert share(np.asarray(written).astype(int)[140:220, 101], GOOD) == 1.0


def test_what_cannot_be_read_is_not_drawn(photos, tmp_path, caplog):
    drawings = Drawings(tmp_path / "out", [photos])
    with caplog.at_level(logging.WARNING):
        drawings.draw(found(photos, "broken.jpg"), [assessment(None, None, "unreadable")])
        assert not caplog.records
        drawings.draw(found(photos, "broken.jpg"), [assessment(None)])
        drawings.draw(found(photos, "gone.jpg"), [assessment(None)])
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "no drawing of broken.jpg",
        "no drawing of gone.jpg",
    ]
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_stops_no_batch(photos, tmp_path, caplog):
    drawings = Drawings(tmp_path / "out", [photos])
    (tmp_path / "out").write_text("a file where the folder was to be")
    drawings.draw(found(photos, "a.jpg"), [assessment(99.0, face())])
    assert "no drawing of a.jpg" in caplog.text


def test_nothing_is_overwritten(photos, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    Drawings(out, [photos])  # an empty folder will do
    (out / "a.jpg").write_text("precious")
    with pytest.raises(OptionError, match="has something in it"):
        Drawings(out, [photos])
    with pytest.raises(OptionError, match="Choose another --draw"):
        Drawings(out / "a.jpg", [photos])
    drawings = Drawings(out, [photos], resume=True)
    for name in ("a.jpg", "a.png"):
        drawings.draw(found(photos, name), [assessment(99.0, face())])
    assert names(out) == ["a.jpg", "a.png.jpg"]
    assert (out / "a.jpg").read_text() == "precious"


def test_drawings_do_not_lie_among_the_photographs(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(photos)
    for folder, paths in (
        ("drawn", ["."]),
        ("anna/drawn", [photos]),
        (".", [photos / "anna", "."]),
    ):
        with pytest.raises(OptionError, match="outside of it"):
            Drawings(photos / folder / "new", paths)
    Drawings(tmp_path / "photos2", [photos])


def test_drawings_do_not_leave_their_folder(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(photos / "anna")
    with pytest.raises(OptionError, match="outside"):
        Drawings(tmp_path / "out", ["../a.jpg"])
    Drawings(tmp_path / "out", [".."])  # the names below a single folder begin inside it
    drawings = Drawings(tmp_path / "out", [photos / "a.jpg"])
    name = (photos / "a.jpg").as_posix()
    drawings.draw(Found(path=photos / "a.jpg", name=name), [assessment(99.0)])
    assert names(tmp_path / "out") == [name.lstrip("/")]


@pytest.mark.parametrize("ending", ["tar", "tgz", "zip", "parquet"])
def test_pictures_in_an_archive_are_drawn_under_their_names_there(tmp_path, ending):
    (tmp_path / "in" / "anna").mkdir(parents=True)
    Image.fromarray(picture()).save(tmp_path / "in" / "anna" / "1.png")
    path = packed(tmp_path / "in", tmp_path / f"p.{ending}")
    drawings = Drawings(tmp_path / "drawn", [path])
    for found in find_images([path]):
        drawings.draw(found, [assessment(70, face())])
    with Image.open(tmp_path / "drawn" / "anna" / "1.png.jpg") as shown:
        assert shown.size == (400, 300)


def test_what_leads_out_of_an_archive_is_not_drawn(tmp_path):
    found = Found(path=tmp_path / "a.tar", name="../1.jpg", problem="a name that leads out")
    Drawings(tmp_path / "drawn", [tmp_path / "a.tar"]).draw(
        found, [assessment(None, None, "unreadable")]
    )
    assert not (tmp_path / "drawn").exists()
