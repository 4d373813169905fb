import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from facegauge import alignment, framing, images, models
from facegauge.baking import wrap_recogniser
from facegauge.embedding import embed_images, embed_pictures
from facegauge.errors import InputError, ModelError, OptionError
from facegauge.pictures import Picture
from facegauge.tables import LANDMARK_COLUMNS, read_landmarks
from packed import packed
from tiny_models import recogniser_file
from toy_detector import scene, squares

SIZE = 48
TWO, ONE = ((40, 40, 100), (300, 100, 200)), ((80, 80, 240),)


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recogniser")
    bare = recogniser_file(folder / "bare.onnx", size=SIZE)
    wrap_recogniser(bare, "arcface", folder / "tiny.onnx", size=SIZE)
    return models.open(folder / "tiny.onnx", threads=1)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "anna").mkdir(parents=True)
    for name, faces in (("a.png", TWO), ("anna/b.png", ONE), ("none.png", ())):
        Image.fromarray(scene(*faces)).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture either")
    return folder


def alone(recogniser, crop: np.ndarray) -> np.ndarray:
    return recogniser.embed(crop[None]).embedding[0]


def largest(path) -> tuple:
    """The picture, and the landmarks of its largest face."""
    pixels = images.read(path).pixels
    return pixels, squares(size=320).find(pixels)[0].landmarks


def aligned_crop(path, recogniser) -> np.ndarray:
    return alignment.align(*largest(path), SIZE, recogniser.card.crop.resampling)


def test_the_detector_finds_the_largest_face(photos, recogniser):
    done = []
    found = embed_images(
        [photos], recogniser=recogniser, detector=squares(size=320), progress=done.append
    )
    assert found.embeddings.paths == ("a.png", "anna/b.png")
    for name, row in zip(found.embeddings.paths, found.embeddings.values, strict=True):
        expected = alone(recogniser, aligned_crop(photos / name, recogniser))
        assert row == pytest.approx(expected, abs=1e-5)
    assert [str(each) for each in found.left_out] == [
        "broken.jpg: not an image in a supported format",
        "none.png: no face found by squares-1 (confidence >= 0.5)",
    ]
    assert sum(done) == 4


@pytest.mark.parametrize("ending", ["tar", "tgz", "zip"])
def test_an_archive_is_embedded_like_its_folder(photos, recogniser, tmp_path, ending):
    options = {"recogniser": recogniser, "detector": squares(size=320)}
    folder = embed_images([photos], **options)
    found = embed_images([packed(photos, tmp_path / f"photos.{ending}")], **options)
    assert found.embeddings.paths == folder.embeddings.paths
    assert found.embeddings.values.tobytes() == folder.embeddings.values.tobytes()
    assert found.left_out == folder.left_out


def test_landmarks_of_a_table_say_where_the_faces_are(photos, recogniser, tmp_path):
    lines = [",".join(LANDMARK_COLUMNS)]
    for name, faces in (("anna/b.png", 1), ("a.png", 2)):
        pixels = images.read(photos / name).pixels
        for face in squares(size=320).find(pixels)[:faces][::-1]:  # the largest last
            numbers = face.landmarks.array().ravel().tolist()
            lines.append(",".join([name, *map(repr, numbers)]))
    (tmp_path / "landmarks.csv").write_text("\n".join(lines) + "\n")
    table = read_landmarks(tmp_path / "landmarks.csv")
    found = embed_images([photos], recogniser=recogniser, landmarks=table)
    assert found.embeddings.paths == ("a.png", "anna/b.png")
    for name, row in zip(found.embeddings.paths, found.embeddings.values, strict=True):
        expected = alone(recogniser, aligned_crop(photos / name, recogniser))
        assert row == pytest.approx(expected, abs=1e-5)
    assert [(each.path, each.reason) for each in found.left_out] == [
        ("broken.jpg", "no landmarks in the table"),
        ("none.png", "no landmarks in the table"),
    ]


def test_aligned_pictures_are_only_resized(photos, recogniser):
    found = embed_images([photos], recogniser=recogniser, aligned=True)
    assert found.embeddings.paths == ("a.png", "anna/b.png", "none.png")
    for name, row in zip(found.embeddings.paths, found.embeddings.values, strict=True):
        crop = framing.resized(images.read(photos / name).pixels, SIZE, SIZE)
        assert row == pytest.approx(alone(recogniser, crop), abs=1e-5)


def crops(count: int) -> list[Picture]:
    rng = np.random.default_rng(0)
    return [
        Picture(name=f"{i}", source=rng.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8))
        for i in range(count)
    ]


@pytest.mark.parametrize("batch_size", [1, 3, 64])
@pytest.mark.parametrize("workers", [1, 4])
def test_order_and_values_do_not_depend_on_batches(recogniser, batch_size, workers):
    pictures = crops(10)
    pictures.insert(4, Picture(name="bad", source=b"nothing"))
    pictures.insert(7, Picture(name="shut", source="x.png", problem="folder cannot be listed"))
    found = embed_pictures(
        pictures, recogniser=recogniser, aligned=True, batch_size=batch_size, workers=workers
    )
    assert found.embeddings.paths == tuple(str(i) for i in range(10))
    expected = [alone(recogniser, each.source) for each in crops(10)]
    assert found.embeddings.values == pytest.approx(np.array(expected), abs=1e-5)
    assert [each.path for each in found.left_out] == ["bad", "shut"]
    assert found.left_out[1].reason == "folder cannot be listed"


def test_encoded_bytes_are_pictures(recogniser, tmp_path):
    [picture] = crops(1)
    Image.fromarray(picture.source).save(tmp_path / "a.png")
    data = Picture(name="0", source=(tmp_path / "a.png").read_bytes())
    both = [
        embed_pictures([each], recogniser=recogniser, aligned=True).embeddings.values
        for each in (data, picture)
    ]
    assert both[0].tobytes() == both[1].tobytes()


def test_an_answer_of_zeros_is_no_embedding(recogniser, monkeypatch):
    def blind(pictures):
        found = recogniser_embed(pictures)
        return replace(found, embedding=found.embedding * np.float32([[0], [1], [1]]))

    recogniser_embed = recogniser.embed
    monkeypatch.setattr(recogniser, "embed", blind)
    found = embed_pictures(crops(3), recogniser=recogniser, aligned=True)
    assert found.embeddings.paths == ("1", "2")
    assert [str(each) for each in found.left_out] == ["0: the recogniser answers with zeros"]


def test_nothing_to_embed(recogniser, tmp_path):
    found = embed_images([tmp_path], recogniser=recogniser, aligned=True)
    assert len(found.embeddings) == 0
    assert found.left_out == ()


def test_few_pictures_are_under_way(recogniser):
    drawn, finished, most = 0, 0, 0

    def pictures():
        nonlocal drawn, most
        for picture in crops(200):
            drawn += 1
            most = max(most, drawn - finished)
            yield picture

    def progress(count):
        nonlocal finished
        finished += count

    embed_pictures(
        pictures(),
        recogniser=recogniser,
        aligned=True,
        workers=2,
        batch_size=8,
        progress=progress,
    )
    assert finished == 200
    assert most <= 2 * 8 + 2 * 2 + 1
    assert not [each for each in threading.enumerate() if each.name.startswith("facegauge")]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({}, OptionError, "got 0 of these"),
        ({"aligned": True, "detector": squares()}, OptionError, "got 2 of these"),
        ({"aligned": True, "workers": 0}, OptionError, "--workers"),
        ({"aligned": True, "batch_size": 0}, OptionError, "batch size"),
    ],
)
def test_wrong_options_are_refused(recogniser, photos, options, error, match):
    with pytest.raises(error, match=match):
        embed_images([photos], recogniser=recogniser, **options)


def test_other_models_do_not_embed(tiny, photos):
    with pytest.raises(ModelError, match="recogniser"):
        embed_images([photos], recogniser=models.open(tiny), aligned=True)


def test_two_pictures_of_one_name_are_refused(recogniser):
    with pytest.raises(InputError, match="twice"):
        embed_pictures([*crops(1), *crops(1)], recogniser=recogniser, aligned=True)
