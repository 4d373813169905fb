"""The techniques by name: what ``facegauge label TECHNIQUE`` can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from facegauge.errors import OptionError
from facegauge.models import Model
from facegauge.pictures import recogniser_crop
from facegauge.techniques.cr_fiqa import CrFiqa, CrFiqaLabels
from facegauge.techniques.difiqa import DifFiqa, DifFiqaLabels, Disturb
from facegauge.techniques.faceqan import Attack, FaceQan, FaceQanLabels
from facegauge.techniques.faceqnet import FaceQnet, FaceQnetLabels
from facegauge.techniques.last_layer import halves
from facegauge.techniques.norm import Norm, NormLabels
from facegauge.techniques.probe import Probe, ProbeLabels
from facegauge.techniques.sdd_fiqa import SddFiqa, SddFiqaLabels
from facegauge.techniques.ser_fiq import SerFiq, SerFiqLabels
from facegauge.techniques.technique import Technique, changed

CONSTANTS = {
    "ser-fiq": SerFiq(),
    "faceqan": FaceQan(),
    "sdd-fiqa": SddFiqa(),
    "faceqnet": FaceQnet(),
    "cr-fiqa": CrFiqa(),
    "difiqa": DifFiqa(),
    "probe": Probe(),
    "norm": Norm(),
}
"""The techniques and the constants that they are published with."""

Attacker = Callable[[Path, FaceQan], Attack]
"""Makes the attack on a recogniser's file: ``facegauge.train.faceqan_gradients.attacker``."""


Disturber = Callable[[DifFiqa, int], Disturb]
"""Makes what disturbs faces, by constants and seed: ``facegauge.train.diffusion_labels``."""


def make(
    name: str,
    recogniser: Model,
    *,
    settings: Sequence[str] = (),
    seed: int = 0,
    attacker: Attacker | None = None,
    disturber: Disturber | None = None,
    threads: int | None = None,
) -> Technique:
    """A technique that asks a recogniser.

    Args:
        name: one of ``CONSTANTS``.
        recogniser: an opened model file of that kind.
        settings: ``key=value`` for constants that are to differ.
        seed: of everything drawn at random, 0 or more.
        attacker: what gives FaceQAN gradients; the others need none.
        disturber: what noises and restores faces for DifFIQA; the others need none.
        threads: for the two halves of SER-FIQ and probe; None: all cores.

    Raises:
        OptionError: an unknown technique or constant, a negative seed, FaceQAN without attacker or
            DifFIQA without disturber.
        ModelError: the model is no recogniser, or not one that the technique can use.
        MissingExtra: SER-FIQ or probe without the onnx package.
    """
    if name not in CONSTANTS:
        raise OptionError(f"No technique {name!r}; one of: {', '.join(CONSTANTS)}.")
    if seed < 0:
        raise OptionError(f"A seed is 0 or more, got {seed}. Correct --seed.")
    recogniser_crop(recogniser)
    constants = changed(CONSTANTS[name], settings)
    if isinstance(constants, SerFiq):
        return SerFiqLabels.of(halves(recogniser.path, threads), constants, seed)
    if isinstance(constants, FaceQan):
        return _faceqan(recogniser, constants, seed, attacker)
    if isinstance(constants, SddFiqa):
        return SddFiqaLabels(recogniser=recogniser, seed=seed, constants=constants)
    if isinstance(constants, FaceQnet):
        return FaceQnetLabels(recogniser=recogniser, seed=seed, constants=constants)
    if isinstance(constants, CrFiqa):
        return CrFiqaLabels(recogniser=recogniser, seed=seed, constants=constants)
    if isinstance(constants, Probe):
        return ProbeLabels.of(recogniser, halves(recogniser.path, threads), constants, seed)
    if isinstance(constants, DifFiqa):
        return _difiqa(recogniser, constants, seed, disturber)
    return NormLabels(recogniser=recogniser, seed=seed)


def _difiqa(
    recogniser: Model, constants: DifFiqa, seed: int, disturber: Disturber | None
) -> DifFiqaLabels:
    if disturber is None:
        raise OptionError(
            "DifFIQA needs a trained diffusion network, got none. Train one with facegauge train "
            "difiqa and pass its run as --diffusion."
        )
    return DifFiqaLabels(
        recogniser=recogniser, disturb=disturber(constants, seed), seed=seed, constants=constants
    )


def _faceqan(
    recogniser: Model, constants: FaceQan, seed: int, attacker: Attacker | None
) -> FaceQanLabels:
    if attacker is None:
        raise OptionError(
            "FaceQAN needs an attacker that has gradients, got none. Pass "
            "facegauge.train.faceqan_gradients.attacker."
        )
    attack = attacker(recogniser.path, constants)
    return FaceQanLabels(attack=attack, seed=seed, constants=constants)
