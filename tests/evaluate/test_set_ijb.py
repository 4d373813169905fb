import numpy as np
import pytest

from facegauge.errors import InputError
from facegauge.evaluate.set_ijb import read

FACES = [
    ("1.jpg", 100, 7),
    ("2.jpg", 100, 7),
    ("3.jpg", 100, 9),
    ("4.jpg", 12, 7),
    ("5.jpg", 3000, 55),
]
PAIRS = [(100, 12, 1), (12, 3000, 0), (100, 3000, 0)]


def points(number: int) -> list[float]:
    return [round(x, 3) for x in np.random.default_rng(number).uniform(0, 99, 10).tolist()]


def texts(prefix="ijbc") -> dict[str, str]:
    faces = [f"{name} {template} {medium}" for name, template, medium in FACES]
    marks = [
        " ".join([name, *map(str, points(row)), f"0.99{row}"])
        for row, (name, *_) in enumerate(FACES)
    ]
    pairs = [" ".join(map(str, pair)) for pair in PAIRS]
    return {
        f"{prefix}_face_tid_mid.txt": "\n".join(faces) + "\n",
        f"{prefix}_name_5pts_score.txt": "\n".join(marks) + "\n",
        f"{prefix}_template_pair_label.txt": "\n".join(pairs) + "\n",
    }


def ijb(root, prefix="ijbc", meta="meta", **changes):
    (root / meta).mkdir(exist_ok=True)
    for name, text in {**texts(prefix), **changes}.items():
        if text is not None:
            (root / meta / name).write_text(text)
    (root / "loose_crop").mkdir(exist_ok=True)
    for name, *_ in FACES:
        (root / "loose_crop" / name).write_bytes(b"x")
    return root


@pytest.mark.parametrize(("prefix", "meta"), [("ijbc", "meta"), ("ijbb", "meta"), ("ijbc", ".")])
def test_templates_media_landmarks_and_pairs(tmp_path, prefix, meta):
    found = read(ijb(tmp_path, prefix, meta))
    assert found.name == prefix
    assert found.names == tuple(name for name, *_ in FACES)
    assert all(image.is_file() for image in found.images)
    ids = found.templates.ids
    assert [int(ids[each]) for each in found.templates.of_picture] == [t for _, t, _ in FACES]
    assert found.templates.media.tolist() == [medium for *_, medium in FACES]
    assert found.compared == ("12", "100", "3000")
    told = [
        (int(found.compared[a]), int(found.compared[b]), int(mated))
        for a, b, mated in zip(
            found.pairs.first, found.pairs.second, found.pairs.mated, strict=True
        )
    ]
    assert told == PAIRS
    assert found.pairs.first.dtype == np.int32
    for row, name in enumerate(found.names):
        [face] = found.landmarks.of(name)
        assert face.array().ravel().tolist() == points(row)


def test_the_pictures_may_be_elsewhere(tmp_path):
    ijb(tmp_path)
    (tmp_path / "loose_crop").rename(tmp_path / "crops")
    with pytest.raises(InputError, match=r"1\.jpg is missing"):
        read(tmp_path)
    assert read(tmp_path, tmp_path / "crops").images[4] == tmp_path / "crops" / "5.jpg"


FACE, MARK, PAIR = texts()


@pytest.mark.parametrize(
    ("file", "text", "match"),
    [
        (FACE, "", "0 different pictures"),
        (FACE, "1.jpg 100\n", "line 1 has 2 cells where 3 are due"),
        (FACE, "1.jpg 100 x\n", "line 1 is '1.jpg 100 x'"),
        (FACE, "1.jpg 100 7\n1.jpg 12 7\n", "1 different pictures in 2 lines"),
        (MARK, None, "ijbc_name_5pts_score.txt cannot be read"),
        (MARK, texts()[MARK].replace("2.jpg", "9.jpg"), "line 2 .* is another picture"),
        (MARK, texts()[MARK].rsplit("5.jpg", 1)[0], "has 4 of 5 pictures"),
        (MARK, texts()[MARK] + texts()[MARK], "line 6 .* is another picture"),
        (MARK, texts()[MARK].replace("0.990", "0.990 1"), "line 1 has 13 cells"),
        (MARK, texts()[MARK].replace(str(points(0)[0]), "left"), "line 1 is '1.jpg left"),
        (PAIR, None, "ijbc_template_pair_label.txt is missing"),
        (PAIR, "100 12\n", "not three whole numbers"),
        (PAIR, "100 12 2\n", "the last 0 or 1"),
        (PAIR, "100 12 1\n12 100\n", "cannot be read"),
        (PAIR, "100 12 same\n", "cannot be read"),
        (PAIR, "100 4000 0\n", "names the template 4000, which has no picture"),
        (PAIR, "11 100 0\n", "names the template 11, which has no picture"),
    ],
)
def test_wrong_lists_are_refused_with_the_layout(tmp_path, file, text, match):
    with pytest.raises(InputError, match=match) as caught:
        read(ijb(tmp_path, **{file: text}))
    assert "Expected the layout ijb (meta/ijbc_face_tid_mid.txt" in str(caught.value)


def test_an_empty_list_of_pairs_gives_none(tmp_path):
    assert len(read(ijb(tmp_path, **{PAIR: ""})).pairs) == 0


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no list of templates"):
        read(tmp_path)
