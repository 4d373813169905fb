"""The camera: Chromium plays a film of the portrait in the place of one."""

import re

import numpy as np
import pytest
from PIL import Image
from skimage import data

from browsing import launched, opened, shown_scores
from facegauge.scoring import Scorer
from facegauge.serve import vendor
from facegauge.serve.app import create_app
from served import served

FRAMES = 20


def film() -> bytes:
    """The portrait, dark at first and then as it is: Y4M, 640×480, 4:2:0."""
    scene = Image.new("RGB", (640, 480), (90, 110, 90))
    scene.paste(Image.fromarray(data.astronaut()).resize((480, 480)), (80, 0))
    frames = [frame(scene.point(lambda value: value // 4)), frame(scene)]
    head = b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n"
    return head + frames[0] * FRAMES + frames[1] * FRAMES


def frame(picture: Image.Image) -> bytes:
    luma, blue, red = picture.convert("YCbCr").split()
    small = [plane.resize((320, 240), Image.Resampling.BOX) for plane in (blue, red)]
    return b"FRAME\n" + b"".join(np.asarray(plane).tobytes() for plane in (luma, *small))


@pytest.fixture(scope="module")
def filmed(browser, tmp_path_factory):
    """A second browser, whose camera shows the film."""
    path = tmp_path_factory.mktemp("film") / "portrait.y4m"
    path.write_bytes(film())
    option = f"--use-file-for-fake-video-capture={path}"
    with launched(browser.browser_type, None, option) as found:
        yield found


@pytest.fixture(scope="module")
def service():
    with served(create_app(Scorer())) as running:
        yield running


@pytest.fixture
def page(filmed, service):
    with opened(filmed, service.port, permissions=["camera"]) as page:
        yield page


def test_a_photograph_is_taken_and_scored(page):
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_text("needs private mode").wait_for()
    page.get_by_role("button", name="Take a photograph").click()
    assert len(shown_scores(page)) == 1
    page.keyboard.press("Escape")
    assert page.locator("#camera").is_hidden()


@pytest.mark.skipif(not vendor.present(), reason="no ONNX Runtime Web")
def test_the_assistant_advises_and_keeps_the_best_shot(page):
    page.get_by_label("In this browser").check()
    page.get_by_role("status").get_by_text("Ready").wait_for()
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_text(re.compile("too dark|few grey levels")).wait_for()
    page.locator("#camera .point").first.wait_for(state="attached")
    page.get_by_text("Nothing to advise.", exact=True).wait_for()
    page.get_by_text(re.compile(r"Best so far: [4-9]\d")).wait_for()
    told = page.get_by_text("Best so far").inner_text()
    page.get_by_role("button", name="Keep the best shot").click()
    [score] = shown_scores(page)
    assert score >= float(told.split()[-1]) - 0.05
