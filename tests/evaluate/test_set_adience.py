import pytest

from facegauge.errors import InputError
from facegauge.evaluate.set_adience import read

HEADER = (
    "user_id\toriginal_image\tface_id\tage\tgender\tx\ty\tdx\tdy\ttilt_ang\t"
    "fiducial_yaw_angle\tfiducial_score"
)
ROWS = (
    ("30601258@N03", "10399646885_67c7d20df9_o.jpg", "1", 0),
    ("30601258@N03", "10437979845_5985be4b26_o.jpg", "1", 0),
    ("30601258@N03", "10437979845_5985be4b26_o.jpg", "3", 0),
    ("7153718@N04", "9506931745_796300ca4a_o.jpg", "2050", 3),
    ("7153718@N04", "9486768763_e52727c632_o.jpg", "2050", 3),
)


def line(user, image, face) -> str:
    return f"{user}\t{image}\t{face}\t(25, 32)\tf\t0\t414\t1086\t1383\t-115\t30\t17"


def adience(root, rows=ROWS, *, images="faces", prefix="coarse_tilt_aligned_face", kind="fold"):
    root.mkdir(exist_ok=True)
    for number in {row[3] for row in rows}:
        own = [line(*row[:3]) for row in rows if row[3] == number]
        (root / f"{kind}_{number}_data.txt").write_text("\n".join([HEADER, *own]) + "\n")
    for user, image, face, _ in rows:
        folder = root / images / user
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{prefix}.{face}.{image}").write_bytes(b"x")
    return root


@pytest.mark.parametrize(
    ("images", "prefix"),
    [
        ("faces", "coarse_tilt_aligned_face"),
        ("aligned", "landmark_aligned_face"),
        (".", "coarse_tilt_aligned_face"),
    ],
)
def test_faces_people_and_folds(tmp_path, images, prefix):
    found = read(adience(tmp_path, images=images, prefix=prefix))
    assert found.names == tuple(f"{user}/{prefix}.{face}.{name}" for user, name, face, _ in ROWS)
    assert all(image.is_file() for image in found.images)
    assert found.identities == tuple(f"{user}/{face}" for user, _, face, _ in ROWS)
    assert found.folds.tolist() == [0, 0, 0, 3, 3]
    assert found.pairs is None


def test_fold_files_may_be_in_a_folder_of_their_own(tmp_path):
    adience(tmp_path)
    (tmp_path / "folds").mkdir()
    for file in tmp_path.glob("fold_*.txt"):
        file.rename(tmp_path / "folds" / file.name)
    assert len(read(tmp_path)) == 5


def test_frontal_folds_are_read_where_there_are_no_others(tmp_path):
    adience(tmp_path, ROWS[3:], kind="fold_frontal")
    assert len(read(tmp_path)) == 2
    adience(tmp_path)
    assert len(read(tmp_path)) == 5


def test_of_several_folders_one_is_asked_for(tmp_path):
    adience(tmp_path)
    adience(tmp_path, images="aligned", prefix="landmark_aligned_face")
    with pytest.raises(InputError, match="several places: aligned, faces. Pass one as images"):
        read(tmp_path)
    found = read(tmp_path, tmp_path / "aligned")
    assert found.names[0].startswith("30601258@N03/landmark_aligned_face.1.")


def test_a_face_that_is_listed_twice_comes_once(tmp_path):
    assert len(read(adience(tmp_path, (*ROWS, ROWS[0])))) == 5


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "fold_0_data.txt begins with ''"),
        ("user_id,original_image,face_id\na,b,c\n", "begins with 'user_id,"),
        (f"{HEADER}\n", "name no face"),
        (f"{HEADER}\n30601258@N03\tx.jpg\n", "line 2 is"),
        (f"{HEADER}\n{line('30601258@N03', 'x.jpg', 1)}\n", "no pictures such as"),
    ],
)
def test_wrong_folds_are_refused_with_the_layout(tmp_path, text, match):
    adience(tmp_path, ROWS[:3])
    (tmp_path / "fold_0_data.txt").write_text(text)
    with pytest.raises(InputError, match=match) as caught:
        read(tmp_path)
    assert "Expected the layout adience (fold_0_data.txt" in str(caught.value)


def test_missing_faces_and_folds_are_refused(tmp_path):
    adience(tmp_path)
    (
        tmp_path / "faces/7153718@N04/coarse_tilt_aligned_face.2050.9486768763_e52727c632_o.jpg"
    ).unlink()
    with pytest.raises(InputError, match="1 of 5 pictures are missing, the first 7153718"):
        read(tmp_path)
    with pytest.raises(InputError, match="no fold file"):
        read(tmp_path / "faces")
