import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facegauge import models
from facegauge.baking import wrap_recogniser
from facegauge.embedding import embed_pictures
from facegauge.errors import InputError, OptionError
from facegauge.evaluate import benchmark
from facegauge.evaluate.benchmark import EXPECTED, Layout
from facegauge.evaluate.recognition import compare_set
from tiny_models import recogniser_file


def jpeg(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def file(path, data: str | bytes = b"x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def lfw(root, name="pairs.txt"):
    for number in range(1, 4):
        file(root / "Anna" / f"Anna_{number:04}.jpg", jpeg(number))
    file(root / "Bert" / "Bert_0001.jpg", jpeg(9))
    file(root / name, "1\t1\nAnna\t1\t3\nAnna\t2\tBert\t1\n")
    return root


def xqlfw(root):
    return lfw(root, "xqlfw_pairs.txt")


def insightface(root):
    file(root / "lfw.bin", pickle.dumps(([jpeg(i) for i in range(4)], [True, False])))
    return root / "lfw.bin"


def adience(root):
    file(root / "fold_0_data.txt", "user_id\toriginal_image\tface_id\n5@N0\ti.jpg\t1\n")
    file(root / "faces" / "5@N0" / "coarse_tilt_aligned_face.1.i.jpg")
    return root


def ijb(root):
    marks = " ".join(map(str, range(10)))
    file(root / "meta/ijbc_face_tid_mid.txt", "1.jpg 1 1\n2.jpg 2 2\n")
    file(root / "meta/ijbc_name_5pts_score.txt", f"1.jpg {marks} 0.9\n2.jpg {marks} 0.8\n")
    file(root / "meta/ijbc_template_pair_label.txt", "1 2 0\n")
    file(root / "loose_crop/1.jpg")
    return root


def folder(root):
    file(root / "a.jpg")
    file(root / "identities.csv", "path,identity\na.jpg,Anna\n")
    return root


MAKERS = {
    Layout.LFW: lfw,
    Layout.XQLFW: xqlfw,
    Layout.INSIGHTFACE: insightface,
    Layout.ADIENCE: adience,
    Layout.IJB: ijb,
    Layout.FOLDER: folder,
}


@pytest.mark.parametrize("layout", Layout)
def test_every_layout_is_recognised(tmp_path, layout):
    place = MAKERS[layout](tmp_path)
    found = benchmark.open(place)
    assert found.layout is layout
    insisted = benchmark.open(str(place), layout=str(layout))
    assert insisted.names == found.names


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("wanted", Layout)
def test_insisting_on_another_layout_names_what_is_expected(tmp_path, layout, wanted):
    if wanted == layout:
        return
    place = MAKERS[layout](tmp_path)
    with pytest.raises(InputError) as caught:
        benchmark.open(place, layout=wanted)
    assert f"Expected the layout {wanted} ({EXPECTED[wanted]})" in str(caught.value)


def test_an_unknown_folder_names_all_layouts(tmp_path):
    with pytest.raises(InputError, match="got none of these") as caught:
        benchmark.open(tmp_path)
    assert all(form in str(caught.value) for form in EXPECTED.values())
    with pytest.raises(InputError, match="it does not exist"):
        benchmark.open(tmp_path / "nowhere")


@pytest.mark.parametrize("layout", Layout)
def test_a_missing_place_is_named(tmp_path, layout):
    with pytest.raises(InputError, match=f"layout {layout} .*it does not exist"):
        benchmark.open(tmp_path / "nowhere", layout=layout)


def test_two_layouts_in_one_folder_are_asked_about(tmp_path):
    folder(lfw(tmp_path))
    with pytest.raises(InputError, match="files of lfw and folder. Pass the layout"):
        benchmark.open(tmp_path)
    assert benchmark.open(tmp_path, layout="lfw").pairs is not None
    assert benchmark.open(tmp_path, layout="folder").pairs is None


def test_an_unknown_layout_is_refused(tmp_path):
    with pytest.raises(OptionError, match="layout must be one of lfw, xqlfw"):
        benchmark.open(tmp_path, layout="megaface")


def test_the_documentation_names_every_layout_in_these_words():
    text = (Path(__file__).parents[2] / "docs/learn/evaluate.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("| `")]
    assert table == [f"| `{layout}` | {form} |" for layout, form in EXPECTED.items()]


@pytest.mark.parametrize("layout", [Layout.LFW, Layout.INSIGHTFACE])
def test_from_a_set_to_similarities(tmp_path, layout):
    bare = recogniser_file(tmp_path / "bare.onnx", size=32)
    wrap_recogniser(bare, "arcface", tmp_path / "r.onnx", size=32)
    found = benchmark.open(MAKERS[layout](tmp_path / "set"))
    embedded = embed_pictures(
        found.pictures(), recogniser=models.open(tmp_path / "r.onnx"), aligned=True
    )
    compared = compare_set(embedded.embeddings, found)
    assert len(compared.similarity) == 2
    assert compared.pairs.mated.tolist() == [True, False]
    assert (compared.pairs.absent_mated, compared.pairs.absent_nonmated) == (0, 0)
    values = dict(zip(embedded.embeddings.paths, embedded.embeddings.values, strict=True))
    one, other = (found.names[i[0]] for i in (found.pairs.first, found.pairs.second))
    assert compared.similarity[0] == pytest.approx(float(values[one] @ values[other]), abs=1e-6)
