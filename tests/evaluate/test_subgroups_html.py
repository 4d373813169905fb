import re
from html import unescape

from facegauge.evaluate.scored import FEW, GroupErrors, Subgroup
from facegauge.evaluate.subgroups_html import subgroups


def errors(wrong=40, left=30, pauc=0.71, recogniser="AdaFace") -> GroupErrors:
    return GroupErrors(
        recogniser=recogniser,
        threshold=0.31,
        comparisons=1000,
        errors=wrong,
        comparisons_left=600,
        errors_left=left,
        pauc=pauc,
    )


def group(name="men", found=None, method="ours") -> Subgroup:
    return Subgroup(
        method=method,
        set_name="lfw",
        group=name,
        count=5,
        missing=1,
        mean=40.0,
        threshold=25.0,
        discarded=0.4,
        errors=found,
    )


def read(rows) -> list[list[str]]:
    """The cells of each row of the section, without their tags."""
    body = subgroups(rows).body
    found = re.findall(r"<tr>(.*?)</tr>", body)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found]
    return [[unescape(re.sub("<[^>]*>", " ", cell)).strip() for cell in row] for row in cells]


def test_rows_without_a_recogniser_show_images_and_scores_alone():
    assert read([group()]) == [
        ["Group", "Images", "Without score", "Mean score", "Discarded"],
        ["men", "5", "1", "40", "40.0%"],
    ]
    body = subgroups([group()]).body
    assert "FNMR" not in body
    assert "ours on lfw: discarded below score 25 or without a score" in body


def test_rates_stand_with_what_they_were_counted_from():
    head, men = read([group(found=errors())])
    assert head[-3:] == ["FNMR", "pAUC", "FNMR left"]
    cells = [" ".join(cell.split()) for cell in men[-3:]]
    assert cells == ["0.0400 40 of 1,000", "0.7100", "0.0500 30 of 600"]
    body = subgroups([group(found=errors())]).body
    assert "ours on lfw, AdaFace at similarity threshold 0.3100: discarded below" in body


def test_few_errors_are_marked():
    few = errors(wrong=FEW - 1, left=3)
    (_, row) = read([group(found=few)])
    assert [cell.split()[0] for cell in row[-3:]] == ["0.0290*", "0.7100*", "0.0050*"]
    (_, enough) = read([group(found=errors(wrong=FEW, left=FEW))])
    assert not any("*" in cell for cell in enough)


def test_what_is_not_defined_is_a_dash():
    counts = dict.fromkeys(("comparisons", "errors", "comparisons_left", "errors_left"), 0)
    none = GroupErrors(recogniser="AdaFace", threshold=0.31, **counts)
    rows = read([group(found=none), group("women", errors(wrong=7, left=0, pauc=None))])
    assert rows[0][-2:] == ["FNMR", "FNMR left"]  # no row has a pAUC
    assert rows[1][-2:] == ["–", "–"]
    assert [cell.split()[0] for cell in rows[2][-2:]] == ["0.0070*", "0.0000*"]


def test_each_method_and_recogniser_has_a_table():
    rows = [
        group(name, errors(recogniser=recogniser), method)
        for recogniser in ("AdaFace", "CosFace")
        for method in ("ours", "theirs")
        for name in ("men", "women")
    ]
    body = subgroups(rows).body
    captions = re.findall(r"<caption>(.*?) at", body)
    assert captions == [
        "ours on lfw, AdaFace",
        "theirs on lfw, AdaFace",
        "ours on lfw, CosFace",
        "theirs on lfw, CosFace",
    ]
    assert body.count("women") == 4


def test_names_stay_text():
    odd = "<script>&'"
    body = subgroups([group(odd, errors(recogniser=odd), method=odd)]).body
    assert "<script>" not in body
    assert odd in unescape(body)


def test_no_rows_are_no_section():
    assert subgroups([]).body == ""
