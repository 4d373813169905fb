import pytest

from facegauge.errors import InputError
from facegauge.evaluate.set_lfw import read_lfw, read_xqlfw

MANY = {"Anna_A": 4, "Bert": 3, "Carl_von_C": 2, "Dora": 1}


def people(folder, suffix=".jpg", **changes):
    """Folders as in LFW; the pictures say their own name."""
    for name, count in {**MANY, **changes}.items():
        (folder / name).mkdir(parents=True)
        for number in range(1, count + 1):
            file = folder / name / f"{name}_{number:04}{suffix}"
            file.write_bytes(file.name.encode())
    return folder


LINES = (
    "2\t2",
    "Anna_A\t1\t4",
    "Bert\t1\t3",
    "Anna_A\t2\tBert\t2",
    "Carl_von_C\t1\tDora\t1",
    "Anna_A\t2\t3",
    "Carl_von_C\t1\t2",
    "Bert\t3\tDora\t1",
    "Bert\t1\tAnna_A\t1",
)


def lfw(tmp_path, lines=LINES, name="pairs.txt", end="\n"):
    people(tmp_path)
    (tmp_path / name).write_bytes((end.join(lines) + end).encode())
    return tmp_path


def told(found) -> list[tuple]:
    return [
        (found.names[a], found.names[b], bool(mated), int(fold))
        for a, b, mated, fold in zip(
            found.pairs.first, found.pairs.second, found.pairs.mated, found.pairs.fold, strict=True
        )
    ]


EXPECTED = [
    ("Anna_A/Anna_A_0001.jpg", "Anna_A/Anna_A_0004.jpg", True, 0),
    ("Bert/Bert_0001.jpg", "Bert/Bert_0003.jpg", True, 0),
    ("Anna_A/Anna_A_0002.jpg", "Bert/Bert_0002.jpg", False, 0),
    ("Carl_von_C/Carl_von_C_0001.jpg", "Dora/Dora_0001.jpg", False, 0),
    ("Anna_A/Anna_A_0002.jpg", "Anna_A/Anna_A_0003.jpg", True, 1),
    ("Carl_von_C/Carl_von_C_0001.jpg", "Carl_von_C/Carl_von_C_0002.jpg", True, 1),
    ("Bert/Bert_0003.jpg", "Dora/Dora_0001.jpg", False, 1),
    ("Bert/Bert_0001.jpg", "Anna_A/Anna_A_0001.jpg", False, 1),
]


def test_pairs_and_folds_of_lfw(tmp_path):
    found = read_lfw(lfw(tmp_path))
    assert told(found) == EXPECTED
    assert len(found) == sum(MANY.values())
    assert dict(zip(found.names, found.identities, strict=True))["Bert/Bert_0002.jpg"] == "Bert"
    for name, image in zip(found.names, found.images, strict=True):
        assert image == tmp_path / name
        assert image.read_bytes().decode() == name.split("/")[1]


@pytest.mark.parametrize("between", [" ", "\t\t", ", ", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_any_usual_separator_will_do(tmp_path, between, end):
    lines = [line.replace("\t", between) for line in LINES]
    assert told(read_xqlfw(lfw(tmp_path, lines, "xqlfw_pairs.txt", end))) == EXPECTED


def test_the_pictures_may_be_in_one_folder_beside_the_list(tmp_path):
    people(tmp_path / "xqlfw_aligned_112", ".png")
    (tmp_path / "other").mkdir()
    (tmp_path / "xqlfw_pairs.txt").write_text("\n".join(LINES))
    found = read_xqlfw(tmp_path)
    assert told(found) == [
        (a.replace("jpg", "png"), b.replace("jpg", "png"), *rest) for a, b, *rest in EXPECTED
    ]
    assert told(read_xqlfw(tmp_path / "xqlfw_pairs.txt")) == told(found)


def test_of_several_folders_one_is_asked_for(tmp_path):
    people(tmp_path / "aligned")
    people(tmp_path / "original")
    (tmp_path / "pairs.txt").write_text("\n".join(LINES))
    with pytest.raises(InputError, match="several places: aligned, original. Pass one as images"):
        read_lfw(tmp_path)
    found = read_lfw(tmp_path, tmp_path / "original")
    assert found.images[0] == tmp_path / "original/Anna_A/Anna_A_0001.jpg"


def test_one_fold_needs_no_number_of_folds(tmp_path):
    found = read_lfw(lfw(tmp_path, ["2", *LINES[1:5]]))
    assert told(found) == EXPECTED[:4]


def test_other_files_are_no_pictures_of_the_set(tmp_path):
    lfw(tmp_path)
    (tmp_path / "Bert" / "thumbs.db").write_bytes(b"")
    (tmp_path / "Bert" / "Anna_A_0009.jpg").write_bytes(b"")
    (tmp_path / "Bert" / "Bert_small.jpg").write_bytes(b"")
    assert len(read_lfw(tmp_path)) == sum(MANY.values())


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ([], "an empty file"),
        (["Anna_A\t1\t4"], "the first line"),
        (["0\t300"], "the first line"),
        (["2\t2\t2"], "the first line"),
        (LINES[:-1], "7 pairs where 2 folds of 2 x 2 are announced"),
        ([*LINES, LINES[1]], "9 pairs where"),
        ([*LINES[:2], LINES[3], *LINES[3:]], "line 3 is .* where 'name n1 n2' is due"),
        ([*LINES[:3], LINES[1], *LINES[4:]], "line 4 is .* where 'name1 n1 name2 n2' is due"),
        ([LINES[0], "Anna_A\t1\tx", *LINES[2:]], "line 2"),
        ([LINES[0], "Anna_A\t1\t5", *LINES[2:]], "1 of 10 pictures are missing.*Anna_A_0005"),
        ([LINES[0], "Nobody\t1\t5", *LINES[2:]], "no folders of people such as Nobody"),
    ],
)
def test_a_wrong_list_is_refused_with_the_layout(tmp_path, lines, match):
    with pytest.raises(InputError, match=match) as caught:
        read_lfw(lfw(tmp_path, lines))
    assert "Expected the layout lfw (folders name/name_0001.jpg" in str(caught.value)
    assert "10 300" in str(caught.value)


def test_a_missing_list_is_named(tmp_path):
    people(tmp_path)
    with pytest.raises(InputError, match=r"layout xqlfw .*xqlfw_pairs\.txt cannot be read"):
        read_xqlfw(tmp_path)
