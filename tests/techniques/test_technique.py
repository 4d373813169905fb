"""What techniques share: labels and reasons, chance by name, constants from the command line."""

from dataclasses import dataclass

import numpy as np
import pytest

from facegauge.errors import InputError, OptionError
from facegauge.techniques.cr_fiqa import CrFiqa
from facegauge.techniques.faceqan import FaceQan
from facegauge.techniques.norm import Norm
from facegauge.techniques.sdd_fiqa import SddFiqa
from facegauge.techniques.ser_fiq import SerFiq
from facegauge.techniques.technique import (
    ZEROS,
    Labels,
    Measured,
    changed,
    embedded,
    source_of_chance,
)
from toy_recognisers import crops


def test_labels_keep_their_order_and_say_why_there_is_none():
    labels = Labels.of("abcd", np.array([2.0, np.nan, 1.0, np.inf]), {1: "alone"})
    assert labels.paths == ("a", "c")
    assert labels.values.tolist() == [2.0, 1.0]
    assert [str(each) for each in labels.left_out] == ["b: alone", f"d: {ZEROS}"]


def test_measured_rows_belong_to_pictures():
    with pytest.raises(InputError, match="each of 2 pictures"):
        Measured(paths=("a", "b"), values=np.zeros((3, 1), dtype=np.float32))


def test_chance_depends_on_seed_and_name_alone():
    first, again, other, reseeded = (
        source_of_chance(seed, name).random(4).tolist()
        for seed, name in ((0, "a"), (0, "a"), (0, "b"), (1, "a"))
    )
    assert first == again
    assert first not in (other, reseeded)
    source_of_chance(0, "\udcff.jpg")  # a name that is not UTF-8


def test_embedded_is_what_the_recogniser_says(recogniser):
    pictures = crops(3)
    rows, answer = embedded(recogniser, pictures), recogniser.embed(pictures)
    assert rows[:, :-1] == pytest.approx(answer.embedding)
    assert rows[:, -1] == pytest.approx(answer.norm)


def test_an_answer_of_zeros_is_none():
    @dataclass
    class Answer:
        embedding = np.array([[0.0, 0.0], [0.6, 0.8]], dtype=np.float32)
        norm = np.array([0.0, 2.0], dtype=np.float32)

    class Blind:
        def embed(self, pictures):
            return Answer()

    rows = embedded(Blind(), crops(2))
    assert np.isnan(rows[0]).all()
    assert rows[1] == pytest.approx([0.6, 0.8, 2.0])


def test_constants_are_changed_by_name():
    assert changed(SerFiq(), ["passes=7", "rate=.25"]) == SerFiq(passes=7, rate=0.25)
    assert changed(Norm(), []) == Norm()


@pytest.mark.parametrize(
    ("constants", "setting", "match"),
    [
        (SerFiq(), "passes", "Constants: passes, rate"),
        (SerFiq(), "nonesuch=1", "Constants: passes, rate"),
        (Norm(), "a=1", "has no constants"),
        (SerFiq(), "passes=1.5", "a number such as 100"),
        (SerFiq(), "rate=many", "a number such as 0.0"),
        (SerFiq(), "slope=nan", "finite"),
        (SerFiq(), "passes=1", "two passes"),
        (SerFiq(), "rate=1", r"\[0, 1\)"),
        (SerFiq(), "slope=0", "slope above 0"),
        (FaceQan(), "copies=0", "1 or more"),
        (FaceQan(), "epsilon=0", "epsilon > 0"),
        (FaceQan(), "low=2", "low < high"),
        (SddFiqa(), "draws=0", "one draw"),
        (CrFiqa(), "shift=-1", "shift >= 0"),
    ],
)
def test_wrong_constants_are_refused(constants, setting, match):
    with pytest.raises(OptionError, match=match):
        changed(constants, [setting])
