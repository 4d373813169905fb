"""The recipe ``difiqa``: the forward process, the way back, and labels, by the formulas."""

import math

import numpy as np
import pytest
import torch

pytest.importorskip("diffusers")

from facegauge.errors import MissingExtra, OptionError, TrainingError
from facegauge.techniques.difiqa import DifFiqa, label_face
from facegauge.train import diffusion_network
from facegauge.train.diffusion import Spoiled, denoiser, load_denoiser, lowered
from facegauge.train.diffusion_labels import Chance, disturbed, disturber, pixels_of
from facegauge.train.faces import read_faces
from facegauge.train.portraits import Portraits, Sight
from facegauge.train.runs import begin
from facegauge.train.students import planes
from toy_techniques import toy_technique

SIDE = 16


@pytest.fixture(scope="module")
def network():
    return denoiser(toy_technique("difiqa")).eval()


def kept(count=1000):
    """What is left of the picture's variance after each step of the cosine schedule."""

    def bar(t):
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [min(1 - bar((i + 1) / count) / bar(i / count), 0.999) for i in range(count)]
    return np.cumprod([1 - beta for beta in betas])


def test_noise_goes_in_by_the_cosine_schedule(network):
    picture, noise = torch.randn(3, 3, SIDE, SIDE), torch.randn(3, 3, SIDE, SIDE)
    times = [0, 5, 99]
    found = network.noised(picture, torch.tensor(times), noise)
    for row, time in enumerate(times):
        left = kept()[time]
        wanted = math.sqrt(left) * picture[row] + math.sqrt(1 - left) * noise[row]
        torch.testing.assert_close(found[row], wanted, atol=1e-5, rtol=1e-4)


def test_a_picture_goes_to_its_degraded_version_by_a_sine():
    clean, low = torch.full((3, 3, 2, 2), 1.0), torch.full((3, 3, 2, 2), -1.0)
    found = lowered(clean, low, torch.tensor([0, 50, 100]), 100)[:, 0, 0, 0]
    wanted = [1 - 2 * math.sin(math.pi / 2 * t / 100) for t in (0, 50, 100)]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_the_way_back_is_that_of_the_posterior(network, monkeypatch):
    """With a network that halves what it sees, computed again in numpy, a step at a time."""
    monkeypatch.setattr(type(network), "forward", lambda _, noisy, times: 0.5 * noisy)
    rng = np.random.default_rng(0)
    noisy = rng.normal(size=(2, 3, 4, 4))
    noise = [rng.normal(size=noisy.shape) for _ in range(3)]
    wanted, left = noisy, kept()
    for step, now in enumerate((3, 2, 1, 0)):
        clean = np.clip(0.5 * wanted, -1, 1)
        if now == 0:
            wanted = clean
            break
        alpha = left[now] / left[now - 1]
        mean = math.sqrt(left[now - 1]) * (1 - alpha) / (1 - left[now]) * clean
        mean = mean + math.sqrt(alpha) * (1 - left[now - 1]) / (1 - left[now]) * wanted
        spread = (1 - alpha) * (1 - left[now - 1]) / (1 - left[now])
        wanted = mean + math.sqrt(spread) * noise[step]
    parts = [torch.tensor(each, dtype=torch.float32) for each in noise]
    found = network.restored(torch.tensor(noisy, dtype=torch.float32), 3, parts)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_the_way_back_is_the_librarys_too(network):
    noisy, noise = torch.randn(1, 3, SIDE, SIDE), torch.randn(1, 3, SIDE, SIDE)
    clean = torch.rand_like(noisy)
    found = network._stepped(clean, noisy, 7, noise)
    chance = torch.Generator().manual_seed(0)
    library = network.schedule.step(clean, 7, noisy, generator=chance).prev_sample
    again = torch.randn(noisy.shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        found - network._stepped(clean, noisy, 7, torch.zeros_like(noise)),
        (library - network._stepped(clean, noisy, 7, torch.zeros_like(noise))) / again * noise,
        atol=1e-4,
        rtol=1e-3,
    )


def test_pixels_survive_the_way_to_planes_and_back():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 6, 3)).astype(np.uint8)
    np.testing.assert_array_equal(pixels_of(planes(torch.from_numpy(pixels))), pixels)
    assert pixels_of(torch.full((1, 3, 2, 2), 3.0)).max() == 255


def test_a_face_is_noised_a_little_and_restored(network):
    face = np.random.default_rng(1).integers(60, 200, (SIDE, SIDE, 3)).astype(np.uint8)
    found = disturbed(network, Chance(0, face), 5, 4, face)
    assert found.noised.shape == found.restored.shape == (4, SIDE, SIDE, 3)
    spread = np.std(found.noised.astype(float) - math.sqrt(kept()[5]) * face.astype(float))
    assert spread == pytest.approx(127.5 * math.sqrt(1 - kept()[5]), rel=0.2)
    assert len({each.tobytes() for each in found.noised}) == 4


def embed(pictures):
    return pictures.reshape(len(pictures), -1)[:, ::7].astype(np.float64) - 127.5


def label(folder, crops, embed, seed=0, **constants):
    disturb = disturber(folder, DifFiqa(**constants), seed)
    return [label_face(crop, disturb(crop), embed) for crop in crops]


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(2).integers(0, 256, (3, SIDE, SIDE, 3)).astype(np.uint8)


def test_a_label_follows_from_seed_and_picture_alone(technique_runs, crops):
    folder = technique_runs("difiqa").folder
    found = label(folder, crops, embed, repeats=2)
    assert all(-1 <= each <= 1 for each in found)
    assert (label(folder, crops[::-1], embed, repeats=2)) == found[::-1]
    assert (label(folder, crops, embed, repeats=2, seed=1)) != found


def test_repeats_and_time_are_passed_on(technique_runs, crops):
    folder, seen = technique_runs("difiqa").folder, []

    def counting(pictures):
        seen.append(len(pictures))
        return embed(pictures)

    near = label(folder, crops[:1], counting, noised=1, repeats=3)
    far = label(folder, crops[:1], counting, noised=20, repeats=3)
    assert seen == [2 + 4 * 3] * 2
    assert near != far


def test_only_a_run_of_difiqa_labels(finished, crops):
    with pytest.raises(TrainingError, match="a run of the recipe first"):
        (label(finished.folder, crops, embed))


def test_a_run_that_is_not_complete_does_not_label(tmp_path, crops):
    run = begin(tmp_path / "run", toy_technique("difiqa"), resume=False)
    with pytest.raises(TrainingError, match="Expected a complete run .*got 0 of 2 legs"):
        (label(run.folder, crops, embed))


def test_a_time_beyond_the_schedule_is_told(technique_runs, crops):
    with pytest.raises(OptionError, match=r"noised in 0\.\.999"):
        label(technique_runs("difiqa").folder, crops, embed, noised=1000)


def test_a_crop_of_another_size_is_told(technique_runs):
    with pytest.raises(OptionError, match="crops of 16x16, .*got 8x8x3"):
        (label(technique_runs("difiqa").folder, np.zeros((1, 8, 8, 3), np.uint8), embed))


def test_each_visit_has_its_own_degradation_of_the_same_crop(data):
    faces, sight, learned = read_faces(data), Sight(size=SIDE, seed=0), np.array([0])
    spoiled, plain = Spoiled(faces, learned, sight, {}), Portraits(faces, learned, sight, {})
    found = [spoiled[visit] for visit in range(3)]
    for visit, each in enumerate(found):
        np.testing.assert_array_equal(each["pixels"], plain[visit]["pixels"])
        assert each["low"].shape == each["pixels"].shape
        assert not np.array_equal(each["low"], each["pixels"])
    assert len({each["low"].tobytes() for each in found}) == 3


def test_the_average_is_what_is_kept(technique_runs):
    run = technique_runs("difiqa")
    state = torch.load(run.state, weights_only=False)["state_dict"]
    found = load_denoiser(run).state_dict()
    if run.facts()["best"]["step"] == 4:
        assert all(torch.equal(v, state[f"average.module.{k}"]) for k, v in found.items())
    assert run.facts()["best"]["held_out_loss"] == min(
        entry["held_out_loss"] for entry in run.facts()["history"]
    )


def test_a_missing_library_is_told(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(diffusion_network.importlib, "import_module", absent)
    with pytest.raises(MissingExtra, match=r"difiqa needs diffusers.*facegauge\[train\]"):
        denoiser(toy_technique("difiqa"))
