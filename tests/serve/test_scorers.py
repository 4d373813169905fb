import pytest

from facegauge.choices import FaceChoice
from facegauge.panel import Panel
from facegauge.scoring import Scorer
from facegauge.serve.problems import Problem, Refused
from facegauge.serve.scorers import Scorers
from tiny_models import quality_file
from toy_detector import scene, squares


def test_views_share_network_and_detector_and_are_made_once(scorer):
    scorers = Scorers(scorer)
    chosen = scorers.choose(None, FaceChoice.ALL, False)
    assert chosen is scorers.choose(None, FaceChoice.ALL, False)
    assert chosen.model is scorer.model
    assert chosen.detector is scorer.detector
    assert scorer.faces is FaceChoice.LARGEST


def test_faces_are_chosen_by_the_request(scorer):
    scorers, photo = Scorers(scorer), scene((60, 60, 90), (300, 100, 80))
    counts = [
        len(scorers.choose(None, choice, False).assess(photo))
        for choice in (None, FaceChoice.LARGEST, FaceChoice.ALL)
    ]
    assert counts == [1, 1, 2]
    [single] = scorers.choose(None, FaceChoice.SINGLE, False).assess(photo)
    assert single.outcome == "several_faces"


def test_models_are_chosen_by_name(scorer, other):
    scorers = Scorers(scorer, [Scorer(other, detector=scorer.detector)])
    assert scorers.names == ["other", "tiny"]
    assert scorers.choose(None, None, False).name == "tiny-1"
    assert scorers.choose("other", None, False).name == "other-1"


def test_members_of_a_panel_answer_alone_too(tiny, other):
    panel = Panel([tiny, other], detector=squares())
    scorers, photo = Scorers(panel), scene((60, 60, 90), (300, 100, 80))
    both = scorers.choose(None, FaceChoice.ALL, False).assess(photo)
    alone = scorers.choose("other", FaceChoice.ALL, False).assess(photo)
    assert len(both) == 2
    assert [each.further[0].score for each in both] == [each.score for each in alone]
    assert [each.faces for each in panel.scorers] == [FaceChoice.LARGEST] * 2


def test_reasons_are_the_first_models(tiny, other):
    panel = Panel([tiny, other], detector=squares())
    asked = Scorers(panel).choose(None, None, True)
    assert [each.explain for each in asked.scorers] == [True, False]


def test_of_two_models_by_one_name_the_first_answers(scorer, tmp_path):
    same = quality_file(tmp_path / "same.onnx", frame=0.5)
    scorers = Scorers(scorer, [Scorer(same, detector=scorer.detector)])
    assert scorers.choose("tiny", None, False).model is scorer.model


@pytest.mark.parametrize("name", ["", "nothing", "../tiny", "http://here/tiny.onnx"])
def test_a_path_is_no_name(scorer, name, tiny):
    scorers = Scorers(scorer)
    for each in (name, str(tiny)):
        with pytest.raises(Refused) as refused:
            scorers.choose(each, None, False)
        assert refused.value.problem is Problem.INVALID
