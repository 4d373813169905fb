"""The student network: what it eats, how big it is, what its answer means."""

import numpy as np
import pytest
import torch

from facegauge.train.recipes import First
from facegauge.train.students import Student, planes


@pytest.fixture(scope="module")
def student():
    torch.manual_seed(0)
    return Student("test_resnet", 8, 2, [16, 24]).eval()


def test_planes_are_scaled_to_minus_one_to_one():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    pixels[0, 0, 0] = [0, 255, 51]
    found = planes(torch.from_numpy(pixels))
    wanted = ((pixels.astype(np.float64) - 127.5) / 127.5).transpose(0, 3, 1, 2)
    assert found.dtype == torch.float32
    assert found.is_contiguous()
    assert found.shape == (2, 3, 5, 7)
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-7)
    assert found[0, :, 0, 0].tolist() == pytest.approx([-1, 1, -0.6])


def test_the_score_is_the_mean_of_the_predicted_labels(student):
    image = torch.randn(3, 3, 64, 64)
    with torch.no_grad():
        labels, embeddings = student.answers(image)
        raw = student(image)
    assert labels.shape == (3, 2)
    assert [e.shape for e in embeddings] == [(3, 16), (3, 24)]
    assert raw.shape == (3,)
    torch.testing.assert_close(raw, (labels[:, 0] + labels[:, 1]) / 2)


def test_without_embedding_heads_the_score_is_the_same(student):
    bare = Student("test_resnet", 8, 2, []).eval()
    kept = {k: v for k, v in student.state_dict().items() if not k.startswith("embeddings.")}
    bare.load_state_dict(kept)
    image = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert bare.answers(image)[1] == []
        torch.testing.assert_close(bare(image), student(image), rtol=0, atol=0)


def test_the_default_student_is_small():
    chosen = First()
    student = Student(chosen.backbone, chosen.head_width, 2, [])
    assert 1.1e6 < sum(p.numel() for p in student.backbone.parameters()) < 1.2e6
    assert sum(p.numel() for p in student.parameters()) < 1.2e6
    with torch.no_grad():
        assert student.eval()(torch.zeros(1, 3, chosen.size, chosen.size)).shape == (1,)
