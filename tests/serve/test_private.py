"""Private mode: the browser scores by itself, what it says is what the service says."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from skimage import data

from broken_images import encoded
from browsing import drop, opened, packed, shown_scores
from facegauge.scoring import Scorer
from facegauge.serve import vendor
from facegauge.serve.app import PAGE, create_app
from served import served

CLOSE, ALIKE = 0.1, 1.0
"""Score points: where pixels are the same, and where the service decodes a large JPEG reduced, so
that its pixels are a level off here and there (docs/learn/serve.md)."""
PORTRAIT = Image.fromarray(data.astronaut())

pytestmark = pytest.mark.skipif(
    not vendor.present(), reason="no ONNX Runtime Web: python -m facegauge.serve.vendor fetches it"
)


def turned() -> bytes:
    """Stored on its side; EXIF says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(PORTRAIT.rotate(90), "JPEG", quality=95, exif=exif)


def veiled() -> bytes:
    """Less and less transparent from top to bottom."""
    veil = Image.linear_gradient("L").resize(PORTRAIT.size)
    return encoded(Image.merge("RGBA", (*PORTRAIT.split(), veil)), "PNG")


def group(*places: tuple[int, int, int], size: tuple[int, int] = (1400, 900)) -> bytes:
    """The portrait several times, at (left, top, side)."""
    scene = Image.new("RGB", size, (90, 110, 90))
    for left, top, side in places:
        scene.paste(PORTRAIT.resize((side, side), Image.Resampling.LANCZOS), (left, top))
    return encoded(scene, "PNG")


def spoilt(share: float, deviation: float) -> bytes:
    grain = np.random.default_rng(1).normal(0, deviation, data.astronaut().shape)
    pixels = np.clip(share * data.astronaut() + grain, 0, 255).astype(np.uint8)
    return encoded(Image.fromarray(pixels), "PNG")


FILES = {
    "portrait.png": encoded(PORTRAIT, "PNG"),
    "subsampled.jpg": encoded(PORTRAIT, "JPEG", quality=80),
    "every-colour.jpg": encoded(PORTRAIT, "JPEG", quality=90, subsampling=0),
    "progressive.jpg": encoded(PORTRAIT, "JPEG", quality=60, progressive=True),
    "grey.jpg": encoded(PORTRAIT.convert("L"), "JPEG"),
    "lossy.webp": encoded(PORTRAIT, "WEBP", quality=80),
    "turned.jpg": turned(),
    "veiled.png": veiled(),
    "dark.png": spoilt(0.25, 3),
    "noisy.png": spoilt(1, 25),
    "small.png": encoded(PORTRAIT.resize((230, 230)), "PNG"),
    "too-small.png": encoded(PORTRAIT.resize((120, 120)), "PNG"),
    "cut.png": encoded(PORTRAIT.crop((225, 0, 512, 512)), "PNG"),
    "group.png": group((0, 0, 512), (600, 100, 400), (1050, 300, 300)),
    "far.png": group((1500, 900, 200), (300, 300, 150), size=(2600, 1900)),
    "coffee.png": encoded(Image.fromarray(data.coffee()), "PNG"),
}


@pytest.fixture(scope="module")
def scorer():
    return Scorer(explain=True)


@pytest.fixture(scope="module")
def service(scorer):
    with served(create_app(scorer)) as running:
        yield running


@pytest.fixture(scope="module")
def room(browser, service):
    """A page whose models are opened once for many pictures."""
    with opened(browser, service.port) as page:
        yield page


_SCORE = """async ([[[name, text]], faces]) => {
  const { Private } = await import("/private.js");
  const { Service } = await import("/service.js");
  window.kept ??= new Private(new Service());
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const photo = { file: new File([bytes], name) };
  return JSON.stringify(await window.kept.score(photo, { faces, explain: true, model: "" }));
}"""


def scored(page, name: str, content: bytes, faces: str = "largest") -> list[dict]:
    """What private mode says of a file."""
    return json.loads(page.evaluate(_SCORE, [packed({name: content}), faces]))


@pytest.mark.parametrize("name", FILES)
def test_scores_and_reasons_are_those_of_the_service(room, scorer, name):
    [expected] = [each.to_dict() for each in scorer.assess(FILES[name])]
    [found] = scored(room, name, FILES[name])
    assert found["outcome"] == expected["outcome"]
    assert found["score"] == pytest.approx(expected["score"], abs=CLOSE)
    assert found["detail"] == expected["detail"]
    for one, other in zip(found["measures"], expected["measures"], strict=True):
        assert one["name"] == other["name"]
        assert one["score"] == pytest.approx(other["score"], abs=0.01)
        assert one["value"] == pytest.approx(other["value"], rel=1e-3, abs=2e-3)
        assert (one["unit"], one["advice"]) == (other["unit"], other["advice"])


@pytest.mark.parametrize("name", ["group.png", "far.png", "portrait.png"])
@pytest.mark.parametrize("faces", ["all", "single"])
def test_the_same_faces_are_chosen(room, service, name, faces):
    expected = service.score(FILES[name], faces=faces).json()["results"][0]["assessments"]
    found = scored(room, name, FILES[name], faces)
    assert [each["outcome"] for each in found] == [each["outcome"] for each in expected]
    assert [each["detail"] for each in found] == [each["detail"] for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert one["face"]["box"] == pytest.approx(other["face"]["box"], abs=0.01)
        assert one["score"] == pytest.approx(other["score"], abs=CLOSE)


@pytest.mark.parametrize("side", [2700, 4000])
def test_large_jpegs_that_the_service_decodes_reduced_differ_by_less_than_a_point(
    room, scorer, side
):
    large = PORTRAIT.resize((side, side), Image.Resampling.BICUBIC)
    content = encoded(large, "JPEG", quality=90)
    [expected] = scorer.assess(content)
    [found] = scored(room, "large.jpg", content)
    assert found["score"] == pytest.approx(expected.score, abs=ALIKE)


def test_what_is_no_picture_is_unreadable(room):
    for content in (b"", b"no picture", FILES["subsampled.jpg"][:200]):
        [found] = scored(room, "broken.jpg", content)
        assert (found["outcome"], found["score"]) == ("unreadable", None)
        assert found["detail"]


def test_nothing_leaves_the_page(browser, service):
    with opened(browser, service.port) as page:
        page.get_by_label("In this browser").check()
        page.get_by_role("status").get_by_text("Ready").wait_for()
        asked = []
        page.context.on("request", lambda request: asked.append(request.url))
        drop(page, {"portrait.png": FILES["portrait.png"]})
        assert len(shown_scores(page)) == 1
        assert [url for url in asked if not url.startswith("blob:")] == []


def test_a_model_that_does_not_give_its_golden_vectors_back_is_refused(browser, service):
    def spoil(route):
        answer = route.fetch()
        told = answer.json()
        for each in told["models"]:
            each["card"]["golden"]["outputs"][0][0] += 0.01
        route.fulfill(response=answer, json=told)

    with opened(browser, service.port) as page:
        page.route("**/v1/models", spoil)
        page.get_by_label("In this browser").check()
        page.get_by_role("status").get_by_text("differs from its golden vectors").wait_for()
        drop(page, {"portrait.png": FILES["portrait.png"]})
        page.get_by_role("button", name="Try again").wait_for()
        assert page.get_by_role("meter").count() == 0


def test_where_the_runtime_is_missing_the_page_says_so(browser, scorer, tmp_path):
    shutil.copytree(PAGE, tmp_path / "page", ignore=shutil.ignore_patterns("vendor"))
    with (
        served(create_app(scorer, page=tmp_path / "page")) as service,
        opened(browser, service.port, "status of 404") as page,
    ):
        page.get_by_text("this installation lacks ONNX Runtime Web").wait_for()
        assert page.get_by_label("In this browser").is_disabled()
        drop(page, {"portrait.png": FILES["portrait.png"]})
        assert len(shown_scores(page)) == 1
