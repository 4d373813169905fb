"""Pictures become blocks of people."""

import numpy as np

from facegauge.techniques.people import people_of, unit
from toy_measured import parts, people


def test_blocks_are_people_sorted_by_path():
    measured, who = people((3, 1, 2))
    group = people_of(measured, who)
    names = [measured.paths[row] for row in group.rows]
    assert names == sorted(names, key=lambda name: (who[name], name))
    assert group.starts.tolist() == [0, 3, 4]
    assert group.counts.tolist() == [3, 1, 2]
    assert group.own_count.tolist() == [3, 3, 3, 1, 2, 2]
    embeddings, norms = parts(measured)
    expected = sum(norms[row] * embeddings[row] for row in group.rows[:3])
    assert np.allclose(group.sums(group.norms)[0], expected)


def test_pictures_of_nobody_are_left_out():
    measured, who = people((3, 2))
    del who[measured.paths[0]]
    group = people_of(measured, who)
    labels = group.labelled(np.arange(4.0))
    assert [str(each) for each in labels.left_out] == [
        f"{measured.paths[0]}: no identity in the table"
    ]
    assert labels.paths == measured.paths[1:]


def test_paths_are_compared_as_in_tables():
    measured, who = people((2, 2))
    odd = type(measured)(paths=tuple(f"./{p}" for p in measured.paths), values=measured.values)
    assert people_of(odd, who).counts.tolist() == [2, 2]


def test_zeros_have_no_direction():
    assert unit(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0.0, 0.0], [0.6, 0.8]]
