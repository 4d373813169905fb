from pathlib import Path

import pytest

from facegauge.evaluate import benchmark
from facegauge.evaluate.set_steps import steps
from toy_sets import adience, folder, ijb, insightface, lfw

END = "--scores my/scores.csv --embeddings my/embeddings.npz"


@pytest.mark.parametrize(
    ("make", "score", "embed", "edc"),
    [
        (lfw, "", "", "--pairs my/pairs.csv --images p"),
        (insightface, "--input aligned", "--aligned", "--pairs my/pairs.csv --images p"),
        (adience, "", "", "--identities my/identities.csv --groups my/groups.csv --images p"),
        (
            ijb,
            "--input crop --landmarks my/landmarks.csv",
            "--landmarks my/landmarks.csv",
            "--pairs my/pairs.csv --templates my/templates.csv",
        ),
        (
            folder,
            "--landmarks my/landmarks.csv",
            "--landmarks my/landmarks.csv",
            "--identities my/identities.csv --images p",
        ),
    ],
)
def test_each_layout_goes_on_by_its_own_options(tmp_path, make, score, embed, edc):
    found = benchmark.open(make(tmp_path / "set"))
    assert [each.split() for each in steps(found, Path("p"), Path("my"))] == [
        f"facegauge score p {score} --out my/scores.csv".split(),
        f"facegauge embed p --recogniser RECOGNISER.onnx {embed} --out my/embeddings.npz".split(),
        f"facegauge evaluate edc {END} {edc} --name {found.name} --out my/report".split(),
    ]


def test_paths_are_quoted_for_the_shell(tmp_path):
    found = benchmark.open(lfw(tmp_path / "set"))
    score, *_ = steps(found, Path("my set"), Path("it's"))
    assert score == "facegauge score 'my set' --out 'it'\"'\"'s/scores.csv'"
