"""The journal: noted lines come back, a cut one is measured anew, another run is refused."""

import numpy as np
import pytest

from facegauge.errors import OptionError
from facegauge.techniques.journal import Journal, begin
from facegauge.techniques.technique import ZEROS

RUN = {"technique": "norm", "seed": 0}
ROWS = [np.float32([1.5, -2]), "no face found", np.float32([np.nan, 1]), np.float32([1e-30, 3])]


def noted(journal: Journal):
    measured, left_out = journal.measured()
    rows = zip(measured.paths, measured.values.tolist(), strict=True)
    return list(rows), [str(each) for each in left_out]


EXPECTED = (
    [("a", [1.5, -2.0]), ("d é\udcff", [float(np.float32(1e-30)), 3.0])],
    ["b: no face found", f"c: {ZEROS}"],
)
NAMES = ["a", "b", "c", "d é\udcff"]


def test_what_is_noted_comes_back_from_memory_and_disk(tmp_path):
    for journal in (Journal(), begin(tmp_path / "new" / "j", RUN, resume=False)):
        journal.add(NAMES, ROWS)
        assert noted(journal) == EXPECTED
        assert all(name in journal for name in NAMES)
        assert "e" not in journal
        journal.close()
    again = begin(tmp_path / "new" / "j", RUN, resume=True)
    assert noted(again) == EXPECTED
    again.add(["a", "e"], [np.float32([9, 9]), "late"])  # a stays as it was
    assert noted(again)[0] == EXPECTED[0]
    assert noted(again)[1][-1] == "e: late"
    again.close()


def test_a_journal_cut_at_any_byte_goes_on(tmp_path):
    path = tmp_path / "j"
    journal = begin(path, RUN, resume=False)
    journal.add(NAMES, ROWS)
    journal.close()
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        resumed = begin(path, RUN, resume=True)
        resumed.add(NAMES, ROWS)
        resumed.close()
        assert path.read_bytes() == whole


def test_another_run_is_refused(tmp_path):
    path = tmp_path / "j"
    begin(path, RUN, resume=False).close()
    with pytest.raises(OptionError, match="--resume"):
        begin(path, RUN, resume=False)
    with pytest.raises(OptionError, match="of another run"):
        begin(path, {**RUN, "seed": 1}, resume=True)
    (tmp_path / "other").write_bytes(b"something else\n")
    with pytest.raises(OptionError, match="of another run"):
        begin(tmp_path / "other", RUN, resume=True)
    with pytest.raises(OptionError, match="another --out"):
        begin(path / "below", RUN, resume=False)


def test_an_empty_journal():
    measured, left_out = Journal().measured()
    assert measured.paths == left_out == ()
