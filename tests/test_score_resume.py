from facegauge.score_resume import kept, name_hash
from facegauge.score_row import CSV, ScoreRow
from facegauge.score_run import ScoreRun
from facegauge.score_table import open_scores
from facegauge.values import Outcome

RUN = ScoreRun(models=("m-1",), explain=False)


def test_images_are_remembered_in_8_bytes_of_their_own():
    names = [f"{folder}/{number}.jpg" for folder in "abc" for number in range(1000)]
    hashes = {name_hash(name) for name in names}
    assert len(hashes) == len(names)
    assert max(hashes) < 2**64
    assert name_hash("caf\udce9.jpg") != name_hash("café.jpg")


def test_what_is_kept_ends_with_the_last_image_that_is_whole(tmp_path):
    out = tmp_path / "t.csv"
    rows = [
        ScoreRow(path="b.jpg", face=face, outcome=Outcome.SCORED, score=1, raw=0.1, model="m-1")
        for face in range(2)
    ]
    with open_scores(out, model="m-1") as table:
        table.append([ScoreRow(path="a.jpg", face=0, outcome=Outcome.NO_FACE)])
        table.append(rows)
    whole = out.read_bytes()
    assert list(kept(out, CSV, RUN).hashes) == [name_hash("a.jpg"), name_hash("b.jpg")]
    first = len(b"".join(whole.splitlines(keepends=True)[:2]))
    for length in range(first, len(whole)):
        out.write_bytes(whole[:length])
        found = kept(out, CSV, RUN)
        assert (found.size, list(found.hashes)) == (first, [name_hash("a.jpg")])
