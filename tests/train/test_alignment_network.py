"""The student: what its head computes, when its embedding is projected, how it is loaded."""

import pytest
import torch
from torch import nn

from facegauge.train.alignment_network import Distilled, distilled, load_distilled
from facegauge.train.networks.heads import AiKd
from toy_faces import SIZE
from toy_techniques import toy_technique


def test_the_head_is_linear_gelu_linear():
    network = Distilled(nn.Flatten(), 12, 5, [])
    image = torch.randn(4, 3, 2, 2)
    first, second = network.head.l1, network.head.l2
    hidden = image.flatten(1) @ first.weight.T + first.bias
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))
    wanted = (hidden @ second.weight.T + second.bias)[:, 0]
    torch.testing.assert_close(network(image), wanted)
    raw, embeddings = network.answers(image)
    torch.testing.assert_close(raw, wanted)
    torch.testing.assert_close(embeddings, image.flatten(1))


def test_a_recogniser_of_the_same_width_is_imitated_by_the_embedding_itself():
    embeddings = torch.randn(3, 8)
    [same] = Distilled(nn.Identity(), 8, 4, [8]).imitations(embeddings)
    assert same is embeddings
    found = Distilled(nn.Identity(), 8, 4, [16]).imitations(embeddings)
    assert [each.shape for each in found] == [(3, 16)]
    found = Distilled(nn.Identity(), 8, 4, [8, 16]).imitations(embeddings)
    assert [each.shape for each in found] == [(3, 8), (3, 16)]
    assert not torch.equal(found[0], embeddings)


def test_ai_kd_has_as_many_weights_as_the_published_network():
    with torch.device("meta"):
        mine, published = (
            distilled(
                toy_technique("ai-kd", "network=iresnet100", "width=512", "head_width=1024"), [512]
            ),
            AiKd(),
        )
    counts = [sum(each.numel() for each in net.parameters()) for net in (mine, published)]
    assert counts[0] == counts[1]
    assert counts[0] == pytest.approx(65.68e6, rel=1e-3)


def test_weights_follow_from_the_seed():
    made = [distilled(toy_technique("ai-kd", f"seed={n}"), [16]).state_dict() for n in (1, 1, 2)]
    assert all(torch.equal(made[0][key], made[1][key]) for key in made[0])
    assert not torch.equal(made[0]["head.l1.weight"], made[2]["head.l1.weight"])


def test_what_is_loaded_has_no_projections(technique_runs):
    network = load_distilled(technique_runs("ai-kd-xxs"))
    assert not network.training
    assert len(network.projections) == 0
    assert network(torch.zeros(2, 3, SIZE, SIZE)).shape == (2,)
