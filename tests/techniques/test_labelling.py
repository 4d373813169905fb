"""The whole way from pictures to labels: reasons, batches, order, seed, killed runs."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from facegauge import models
from facegauge.errors import InputError, ModelError, OptionError
from facegauge.pictures import Picture
from facegauge.tables import read_identities, read_labels
from facegauge.techniques import catalogue
from facegauge.techniques.journal import Journal
from facegauge.techniques.labelling import crop_for, label_images, label_pictures
from facegauge.train.faceqan_gradients import attacker
from toy_recognisers import SIZE, make_people, toy_disturber

QUICK = {
    "ser-fiq": ["passes=5", "centre=.6"],
    "faceqan": ["copies=2", "steps=2"],
    "difiqa": ["repeats=2"],
}
NAMES = list(catalogue.CONSTANTS)


def made(name, recogniser, seed=0):
    return catalogue.make(
        name,
        recogniser,
        settings=QUICK.get(name, ()),
        seed=seed,
        attacker=attacker,
        disturber=toy_disturber,
        threads=1,
    )


@pytest.fixture
def photos(tmp_path):
    """Aligned pictures of toy people, a blank one, a broken one and a stranger."""
    folder = tmp_path / "photos"
    make_people(folder)
    Image.new("RGB", (SIZE, SIZE), (9, 9, 9)).save(folder / "blank.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    noise = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "stranger.png")
    return folder


def run(name, recogniser, photos, out, **options) -> dict[str, float]:
    technique = options.pop("technique", None) or made(name, recogniser, options.pop("seed", 0))
    people = read_identities(photos.parent / "who.csv")
    labels = label_images(
        [photos], out, technique, recogniser, identities=people, aligned=True, workers=2, **options
    )
    assert list(read_labels(out)) == list(labels.paths)
    return read_labels(out)


@pytest.mark.parametrize("name", NAMES)
def test_what_has_no_label_has_a_reason(name, gemm, photos, tmp_path):
    technique, done = made(name, gemm), []
    labels = label_images(
        [photos],
        tmp_path / "l.csv",
        technique,
        gemm,
        identities=read_identities(tmp_path / "who.csv"),
        aligned=True,
        progress=done.append,
    )
    reasons = {each.path: each.reason for each in labels.left_out}
    assert reasons["blank.png"].startswith("blank: 96 %")
    assert reasons["broken.jpg"] == "not an image in a supported format"
    unknown = technique.needs_people and name != "probe"  # which labels strangers along
    assert ("stranger.png" in reasons) == unknown
    assert len(labels.paths) == 20 + (not unknown)
    assert sum(done) == 23
    facts = json.loads((tmp_path / "l.json").read_text())
    assert (facts["technique"], facts["faces"]) == (name, "aligned")
    assert (facts["recogniser"], len(facts["recogniser_sha256"])) == ("gemm-1", 64)
    assert not (tmp_path / "l.csv.partial.jsonl").exists()


@pytest.mark.parametrize("name", NAMES)
def test_batches_change_nothing(name, conv, photos, tmp_path):
    whole = run(name, conv, photos, tmp_path / "a.csv", batch_size=64)
    single = run(name, conv, photos, tmp_path / "b.csv", batch_size=1)
    assert list(whole) == list(single)
    assert single == pytest.approx(whole, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_order_changes_nothing(name, gemm, photos):
    people = read_identities(photos.parent / "who.csv")
    pictures = [Picture(name=each, source=photos / each) for each in people]
    cut, technique = crop_for(gemm, aligned=True), made(name, gemm)
    found = []
    for order in (pictures, pictures[::-1]):
        labels = label_pictures(order, technique, cut, identities=people)
        found.append(dict(zip(labels.paths, labels.values.tolist(), strict=True)))
        assert list(found[-1]) == [each.name for each in order]
    assert found[1] == pytest.approx(found[0], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", ["ser-fiq", "faceqan", "sdd-fiqa"])
def test_the_seed_is_all_the_chance(name, gemm, photos, tmp_path):
    first, again, other = (
        run(name, gemm, photos, tmp_path / f"{at}.csv", seed=seed)
        for at, seed in enumerate((0, 0, 1))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("killed_after", [1, 8, 12])
def test_a_killed_run_goes_on(name, killed_after, gemm, photos, tmp_path):
    whole, out = tmp_path / "whole.csv", tmp_path / "l.csv"
    run(name, gemm, photos, whole, batch_size=5)
    technique, seen = made(name, gemm), 0

    class Killed(type(technique)):
        def measure(self, names, crops):
            nonlocal seen
            seen += len(names)
            if seen > killed_after:
                raise KeyboardInterrupt
            return super().measure(names, crops)

    fields = {each.name: getattr(technique, each.name) for each in dataclasses.fields(technique)}
    with pytest.raises(KeyboardInterrupt):
        run(name, gemm, photos, out, technique=Killed(**fields), batch_size=5)
    partial = tmp_path / "l.csv.partial.jsonl"
    assert not out.exists()
    partial.write_bytes(partial.read_bytes()[:-3])  # and the last line was not finished
    with pytest.raises(OptionError, match="--resume"):
        run(name, gemm, photos, out, batch_size=5)
    with pytest.raises(OptionError, match="of another run"):
        run(name, gemm, photos, out, batch_size=5, resume=True, seed=1)
    run(name, gemm, photos, out, batch_size=5, resume=True)
    assert out.read_bytes() == whole.read_bytes()
    assert (tmp_path / "l.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert not partial.exists()


def test_what_is_done_is_not_done_again(gemm, photos):
    people = read_identities(photos.parent / "who.csv")
    pictures = [Picture(name=each, source=photos / each) for each in people]
    cut, technique, journal = crop_for(gemm, aligned=True), made("norm", gemm), Journal()
    first = label_pictures(pictures, technique, cut, journal=journal)
    gone = [Picture(name=each, source=photos / "gone.png") for each in people]
    again = label_pictures(gone, technique, cut, journal=journal)
    assert again.values.tolist() == first.values.tolist()


def test_a_finished_table_stays(gemm, photos, tmp_path):
    out = tmp_path / "l.csv"
    before = run("norm", gemm, photos, out)
    with pytest.raises(OptionError, match="exists already"):
        run("norm", gemm, photos, out)
    assert run("norm", gemm, photos, out, resume=True) == before
    with pytest.raises(OptionError, match="other technique"):
        run("cr-fiqa", gemm, photos, out, resume=True)


def test_nothing_to_label_writes_nothing(gemm, tmp_path):
    (tmp_path / "empty").mkdir()
    labels = label_images(
        [tmp_path / "empty"], tmp_path / "l.csv", made("norm", gemm), gemm, aligned=True
    )
    assert labels.paths == labels.left_out == ()
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_wrong_use_is_refused(gemm, photos, tmp_path, tiny):
    technique, out = made("sdd-fiqa", gemm), tmp_path / "l.csv"
    with pytest.raises(OptionError, match="--identities"):
        label_images([photos], out, technique, gemm, aligned=True)
    with pytest.raises(OptionError, match="got 2 of these"):
        label_images(
            [photos],
            out,
            made("norm", gemm),
            gemm,
            aligned=True,
            landmarks=object(),  # type: ignore[arg-type]
        )
    with pytest.raises(OptionError, match="--batch-size"):
        label_images([photos], out, made("norm", gemm), gemm, aligned=True, batch_size=0)
    (tmp_path / "l.csv.partial.jsonl").unlink()
    with pytest.raises(InputError, match="two people"):
        label_images([photos], out, technique, gemm, aligned=True, identities={"x": "y"})
    with pytest.raises(ModelError, match="models wrap"):
        made("norm", models.open(tiny))
