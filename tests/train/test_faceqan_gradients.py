"""FaceQAN's attack against steps written out for a network whose gradients are known."""

import numpy as np
import pytest
import torch
from torch import nn

from facegauge.conventions import CONVENTIONS
from facegauge.techniques.faceqan import FaceQan, quality
from facegauge.techniques.technique import source_of_chance
from facegauge.train.faceqan_gradients import Fed, NetworkAttack, attacker
from facegauge.train.onnx_torch import PlanesInOnnx
from toy_recognisers import SIZE, crops, gemm_recogniser

CONSTANTS = FaceQan(copies=3, steps=4, epsilon=0.02, high=0.9)


class Linear(nn.Module):
    """Embeddings W x of planes as one long vector."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        self.weight = nn.Parameter(torch.from_numpy(rng.normal(0, 1, (6, 3 * SIZE * SIZE))))

    def forward(self, planes):
        return planes.flatten(1).to(torch.float64) @ self.weight.T


def cosine(a, b) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def slow(crop: np.ndarray, weight: np.ndarray, rng) -> tuple[np.ndarray, float]:
    """Each copy by itself; the gradient of 1 - cos(W x, c) is written out."""
    c = CONSTANTS
    planes = (crop.transpose(2, 0, 1) / 255).astype(np.float32)
    noise = rng.uniform(-c.epsilon, c.epsilon, (c.copies, *planes.shape)).astype(np.float32)
    clean, mirror = (weight @ x.ravel().astype(float) for x in (planes, planes[:, :, ::-1]))
    found = np.empty((c.steps, c.copies))
    for copy in range(c.copies):
        x = np.clip(planes + noise[copy], c.low, c.high)
        for step in range(c.steps):
            e = weight @ x.ravel().astype(float)
            found[step, copy] = cosine(e, clean)
            e_length, c_length = np.linalg.norm(e), np.linalg.norm(clean)
            by_e = clean / (e_length * c_length) - (e @ clean) * e / (e_length**3 * c_length)
            gradient = -(weight.T @ by_e).reshape(x.shape)
            x = np.clip(x + np.float32(c.epsilon) * np.sign(gradient), c.low, c.high)
            x = x.astype(np.float32)
    return found, cosine(clean, mirror)


def test_against_steps_written_out():
    network, [crop] = Linear(), crops(1)
    weight = network.weight.detach().numpy()
    found = NetworkAttack(network, CONSTANTS)(crop, source_of_chance(2, "a"))
    similarities, symmetry = slow(crop, weight, source_of_chance(2, "a"))
    assert found.similarities == pytest.approx(similarities, abs=1e-4)
    assert found.symmetry == pytest.approx(symmetry, abs=1e-5)
    assert (np.diff(similarities.mean(axis=1)) < -1e-4).all()  # it climbs
    assert network.weight.grad is None


def test_a_wrapped_file_is_attacked(tmp_path):
    path = gemm_recogniser(tmp_path / "toy.onnx")
    [crop] = crops(1)
    first, again = (attacker(path, CONSTANTS)(crop, source_of_chance(0, "a")) for _ in range(2))
    assert first.similarities.tobytes() == again.similarities.tobytes()
    assert first.similarities.shape == (4, 3)
    assert (first.similarities[0] > first.similarities[-1]).all()
    assert 0 < quality(first, 5) < 1


def test_bare_networks_are_fed_as_they_expect(tmp_path):
    path = gemm_recogniser(tmp_path / "toy.onnx")
    planes = torch.rand(2, 3, SIZE, SIZE)

    class Bare(nn.Module):
        """What is inside the file, behind its preprocessing."""

        def forward(self, prepared):
            return PlanesInOnnx(path)((prepared * 127.5 + 127.5) / 255)

    found = Fed(Bare(), CONVENTIONS["arcface"])(planes)
    assert torch.allclose(found, PlanesInOnnx(path)(planes), atol=1e-5)
    flipped = Fed(Bare(), CONVENTIONS["arcface-bgr"])(planes.flip(1))
    assert torch.allclose(flipped, found, atol=1e-5)


def test_a_network_that_answers_zeros_has_no_quality():
    class Zeros(nn.Module):
        def forward(self, planes):
            return (planes * 0).flatten(1)[:, :4]

    found = NetworkAttack(Zeros(), CONSTANTS)(crops(1)[0], source_of_chance(0, "a"))
    assert np.isnan(quality(found, 5))
