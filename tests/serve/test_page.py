"""The page in a browser: what a person does, and what the person then sees."""

import csv

import pytest
from PIL import Image
from skimage import data

from broken_images import encoded
from browsing import done, drop, opened, shown_scores
from facegauge.scoring import Scorer
from facegauge.serve.app import PAGE, create_app
from facegauge.serve.limits import Limits
from served import served

PORTRAIT = data.astronaut()


@pytest.fixture(scope="module")
def portraits():
    """Files to drop: a portrait, a smaller and worse one, one without a face, and a broken one."""
    small = Image.fromarray(PORTRAIT).resize((150, 150)).resize((300, 300))
    return {
        "portrait.png": encoded(Image.fromarray(PORTRAIT), "PNG"),
        "worse.jpg": encoded(small, "JPEG"),
        "coffee.jpg": encoded(Image.fromarray(data.coffee()), "JPEG"),
        "broken.jpg": encoded(Image.fromarray(PORTRAIT), "JPEG")[:200],
    }


@pytest.fixture(scope="module")
def scorer():
    return Scorer(explain=True)


@pytest.fixture(scope="module")
def service(scorer):
    with served(create_app(scorer, limits=Limits(file_bytes=3_000_000))) as running:
        yield running


@pytest.fixture
def page(browser, service):
    size = {"width": 1280, "height": 900}
    with opened(browser, service.port, "status of 413", viewport=size) as page:
        yield page


def test_a_dropped_portrait_shows_its_score_box_and_reasons(page, scorer, portraits):
    [expected] = scorer.assess(portraits["portrait.png"])
    drop(page, {"portrait.png": portraits["portrait.png"]})
    assert shown_scores(page) == [pytest.approx(expected.score, abs=0.051)]
    assert page.locator(".picture svg .box").count() == 1
    assert page.locator(".picture svg .point").count() == 5
    meter = page.get_by_role("meter", name="score")
    assert float(meter.get_attribute("aria-valuenow")) == pytest.approx(expected.score, abs=0.051)
    assert page.locator(".measures tbody tr").count() == len(expected.measures)
    assert "portrait.png: score" in page.get_by_role("status").inner_text()
    assert page.locator("#many").is_hidden()


def test_the_box_lies_where_the_face_is(page, scorer, portraits):
    [expected] = scorer.assess(portraits["portrait.png"])
    drop(page, {"portrait.png": portraits["portrait.png"]})
    picture, box = (page.locator(f".picture {name}").bounding_box() for name in ("img", ".box"))
    scale = picture["width"] / PORTRAIT.shape[1]
    found = expected.face.box
    assert box["x"] - picture["x"] == pytest.approx(scale * (found.x0 + 0.5), abs=3)
    assert box["y"] - picture["y"] == pytest.approx(scale * (found.y0 + 0.5), abs=3)
    assert box["width"] == pytest.approx(scale * (found.x1 - found.x0), abs=5)


@pytest.mark.parametrize(
    ("name", "told"), [("coffee.jpg", "no face"), ("broken.jpg", "unreadable")]
)
def test_what_has_no_score_has_a_reason_and_no_number(page, scorer, portraits, name, told):
    [expected] = scorer.assess(portraits[name])
    drop(page, {name: portraits[name]})
    page.get_by_text(f"No score: {told}").wait_for()
    assert expected.detail in page.locator(".face").inner_text()
    assert page.get_by_role("meter").count() == 0


def test_several_become_a_table_that_sorts_and_a_histogram(page, portraits):
    drop(page, portraits)
    done(page, 4)
    heading = page.get_by_role("columnheader", name="score", exact=True)
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    names = page.locator(".list .name").all_inner_texts()
    assert names[:2] == ["portrait.png", "worse.jpg"]
    heading.get_by_role("button").click()
    names = page.locator(".list .name").all_inner_texts()
    assert names[:2] == ["worse.jpg", "portrait.png"]
    assert set(names[2:]) == {"coffee.jpg", "broken.jpg"}  # without a score: last both ways
    assert "2 scores" in page.locator("figcaption").inner_text()
    assert "2 without a score" in page.locator("figcaption").inner_text()
    assert "Histogram of scores" in page.locator(".bars").get_attribute("aria-label")
    page.get_by_role("button", name="broken.jpg").click()
    page.get_by_text("No score: unreadable").wait_for()


def test_the_exported_table_is_the_one_of_the_command_line(page, portraits, tmp_path, console):
    for name, content in portraits.items():
        (tmp_path / name).write_bytes(content)
    out = tmp_path / "scores.csv"
    assert console("score", tmp_path, "--out", out, "--explain").code == 0
    expected = {row["path"]: row for row in csv.DictReader(out.read_text().splitlines())}
    drop(page, portraits)
    done(page, 4)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as CSV").click()
    lines = download.value.path().read_text().splitlines()
    found = {row["path"]: row for row in csv.DictReader(lines)}
    assert lines[0] == out.read_text().splitlines()[0]
    assert found.keys() == expected.keys()
    for path, row in found.items():
        assert {**row, "score": "", "raw": ""} == {**expected[path], "score": "", "raw": ""}
        if row["score"]:
            assert float(row["score"]) == pytest.approx(float(expected[path]["score"]), abs=1e-3)


def test_a_file_that_the_service_refuses_can_be_tried_again(page, portraits):
    drop(page, {"large.jpg": bytes(3_000_001)})
    page.get_by_text("Expected at most 3000000 bytes in a file").first.wait_for()
    page.get_by_role("button", name="Try again").wait_for()
    assert page.get_by_role("meter").count() == 0


def test_the_keyboard_alone_is_enough(page, portraits, tmp_path):
    page.on("filechooser", lambda chooser: None)  # so that none opens before one is expected
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    while page.evaluate("document.activeElement.id") != "choose":
        page.keyboard.press("Tab")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    paths = []
    for name in ("portrait.png", "worse.jpg", "coffee.jpg"):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(portraits[name])
    chooser.value.set_files(paths)
    done(page, 3)
    while page.evaluate("document.activeElement.className") != "name":
        page.keyboard.press("Tab")
    page.keyboard.press("End")
    page.get_by_text("No score: no face").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "coffee.jpg"
    page.keyboard.press("Home")
    page.locator("#one").get_by_role("heading", name="portrait.png").wait_for()


_NAME = "(e) => e.alt || e.ariaLabel || e.labels?.[0]?.textContent || e.textContent"


def test_everything_that_can_be_used_has_a_name(page, portraits):
    drop(page, {name: portraits[name] for name in ("portrait.png", "worse.jpg")})
    done(page, 2)
    for role in ("button", "radio", "checkbox", "combobox", "img", "meter"):
        for each in page.get_by_role(role).all():
            assert each.evaluate(_NAME).strip(), each.evaluate("(element) => element.outerHTML")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(page, portraits, width):
    page.set_viewport_size({"width": width, "height": 800})
    drop(page, portraits)
    done(page, 4)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_modules_are_short():
    for path in (*PAGE.glob("*.js"), *PAGE.glob("private/*.js")):
        assert len(path.read_text().splitlines()) < 300, path.name


def test_the_page_asks_for_the_key_that_the_service_asks_for(browser, scorer, portraits):
    with (
        served(create_app(scorer, api_key="open sesame")) as service,
        opened(browser, service.port, "status of 401") as page,
    ):
        page.get_by_label("This service asks for a key").fill("open sesame")
        page.get_by_role("button", name="Use it").click()
        page.locator("#key-form").wait_for(state="hidden")
        drop(page, {"portrait.png": portraits["portrait.png"]})
        assert len(shown_scores(page)) == 1
