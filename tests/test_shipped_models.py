"""What holds for every model that comes with the package and scores faces."""

import pytest

from facegauge import models
from facegauge.cards import Kind, View

LARGEST_FILE = 6_000_000
SHIPPED = [("utility", Kind.UTILITY, View.ALIGNED), ("perceptual", Kind.PERCEPTUAL, View.WHOLE)]


@pytest.mark.parametrize(("name", "kind", "view"), SHIPPED)
def test_it_is_small_and_gives_its_golden_vectors_back(name, kind, view):
    model = models.open(name)
    assert model.path.stat().st_size <= LARGEST_FILE
    assert model.golden_difference() <= 1e-3
    assert name in [card.name for card in models.available()]


@pytest.mark.parametrize(("name", "kind", "view"), SHIPPED)
def test_its_card_is_complete(name, kind, view):
    card = models.open(name).card
    assert (card.name, card.kind, card.crop.view) == (name, kind, view)
    for word in (
        card.version,
        card.training.data,
        card.training.licence,
        card.training.recipe,
        card.training.revision,
        card.calibration.population,
        card.calibration.date,
    ):
        assert word.strip()


@pytest.mark.parametrize(("name", "kind", "view"), SHIPPED)
def test_no_path_of_the_machine_that_wrote_it_is_inside(name, kind, view):
    content = models.locate(name).read_bytes()
    for trace in (b"/opt/", b"/work/", b"/home/", b"stack_trace", b'File "'):
        assert trace not in content
