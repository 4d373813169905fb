"""Published quality models that can be imported: what each is, expects, means and allows.

One frozen entry a kind; no torch is needed to read them. Facts are those of the publishers' own
repositories (``source``); the networks themselves are in ``networks``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegauge.cards import Calibration, Crop, Kind, View
from facegauge.conventions import CONVENTIONS, Preprocessing
from facegauge.errors import OptionError

OFIQ_MIDDLE, OFIQ_WIDTH = 23.0, 2.6
"""Length of a MagFace embedding that scores 50, and how far it is from there to 73."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One network in which a kind is published, and the meaning of its raw number, if any.

    ``network`` is a name in ``networks.NETWORKS``. ``calibration`` is None where the raw number has
    no scale of its own: then only real faces can give it one.
    """

    network: str
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportKind:
    """A published model: how it is fed, what its score means, who published it on what terms.

    ``commercial`` says whether the publisher's licence allows commercial use; no licence allows
    nothing. It does not speak of the training data, which ``data`` names. ``sha256`` is what the
    publisher states, or empty. ``ignored`` are beginnings of names that only training needs.
    """

    name: str
    judges: Kind
    layouts: tuple[Layout, ...]
    convention: str
    crop: Crop
    data: str
    licence: str
    commercial: bool
    source: str
    sha256: str = ""
    ignored: tuple[str, ...] = ()

    @property
    def preprocessing(self) -> Preprocessing:
        """What the network expects of pixels."""
        return CONVENTIONS[self.convention]

    @property
    def scale(self) -> str:
        """Where the score comes from, in words."""
        unscaled = [each.network for each in self.layouts if each.calibration is None]
        if len(unscaled) == len(self.layouts):
            return "needs --calibrate"
        return "has a scale" + "".join(f", {name} needs --calibrate" for name in unscaled)


def find(name: str) -> ImportKind:
    """The kind of that name.

    Raises:
        OptionError: there is none; the message lists those there are.
    """
    if name not in KINDS:
        raise OptionError(f"Expected a kind, one of {', '.join(KINDS)}; got {name!r}.")
    return KINDS[name]


def of_labels(top: float, date: str) -> Calibration:
    """The labels' own scale, 0 to ``top``, as 0 to 100; what lies outside of it is clipped."""
    return Calibration(
        population=f"none: the scale of its training labels, 0 to {top:g}, as 0 to 100",
        date=date,
        raw=(0.0, top),
        score=(0.0, 100.0),
    )


def ofiq() -> Calibration:
    """OFIQ's unified score of MagFace's norm x, as a table: 100 sigmoid((x - 23) / 2.6).

    The mapping of ISO/IEC 29794-5's reference implementation (OFIQ, UnifiedQualityScore), which
    rounds to whole numbers. Between knots 0.2 widths apart a line differs from it by less than
    0.05.
    """
    steps = np.linspace(-7.0, 7.0, 71)
    return Calibration(
        population="none: OFIQ's mapping of the norm, 100 sigmoid((x - 23) / 2.6)",
        date="2024",
        raw=tuple(OFIQ_MIDDLE + OFIQ_WIDTH * steps),
        score=tuple(100.0 / (1.0 + np.exp(-steps))),
    )


_ALIGNED = Crop(view=View.ALIGNED, size=112, resampling="reference")
_EFFICIENT = "GFIQA-20k and faces labelled by a teacher (VQualA 2025 challenge)"
_VGGFACE = "VGGFace2, labelled by DifFIQA"
_NONE = "none stated by the publisher"


def _whole(size: int, resampling: str) -> Crop:
    return Crop(view=View.WHOLE, size=size, short_side=size, resampling=resampling)


def _efficient(part: str, size: int) -> ImportKind:
    name = f"efficient-fiqa-{part}"
    return ImportKind(
        name=name,
        judges=Kind.PERCEPTUAL,
        layouts=(Layout(network=name, calibration=of_labels(1.0, "2025")),),
        convention="imagenet",
        crop=_whole(size, "pillow-bilinear"),
        data=_EFFICIENT,
        licence="Apache-2.0",
        commercial=True,
        source="https://github.com/sunwei925/Efficient-FIQA",
    )


def _crfiqa(size: str, depth: int, data: str) -> ImportKind:
    return ImportKind(
        name=f"cr-fiqa-{size}",
        judges=Kind.UTILITY,
        layouts=(Layout(network=f"cr-fiqa-{depth}"),),
        convention="arcface",
        crop=_ALIGNED,
        data=data,
        licence="CC BY-NC 4.0",
        commercial=False,
        source="https://github.com/fdbtrs/CR-FIQA",
    )


def _ediffiqa(size: str, backbone: str, licence: str = _NONE) -> ImportKind:
    layout = Layout(network=f"ediffiqa-{backbone}", calibration=of_labels(1.0, "2024"))
    return ImportKind(
        name=f"ediffiqa-{size}",
        judges=Kind.UTILITY,
        layouts=(layout,),
        convention="arcface",
        crop=_ALIGNED,
        data=_VGGFACE,
        licence=licence,
        commercial=False,
        source="https://github.com/LSIbabnikz/eDifFIQA",
    )


_AIKD = ImportKind(
    name="ai-kd",
    judges=Kind.UTILITY,
    layouts=(Layout(network="ai-kd"),),  # its labels may be those of any technique
    convention="arcface",
    crop=_ALIGNED,
    data="VGGFace2, labelled by another technique",
    licence=_NONE,
    commercial=False,
    source="https://github.com/LSIbabnikz/AI-KD",
)
_MAGFACE = ImportKind(
    name="magface",
    judges=Kind.UTILITY,
    layouts=(
        Layout(network="magface-50", calibration=ofiq()),  # OFIQ's mapping is for this one
        Layout(network="magface-100"),
    ),
    convention="bgr-unit",
    crop=_ALIGNED,
    data="MS1MV2",
    licence="MIT",
    commercial=True,
    source="https://github.com/IrvingMeng/MagFace",
    ignored=("fc.", "parallel_fc."),
)
_SDDFIQA = ImportKind(
    name="sdd-fiqa",
    judges=Kind.UTILITY,
    layouts=(Layout(network="sdd-fiqa", calibration=of_labels(100.0, "2021")),),
    convention="arcface",
    crop=_ALIGNED,
    data="refined MS1M",
    licence="Apache-2.0",
    commercial=True,
    source="https://github.com/Tencent/TFace/tree/quality",
)
_DIFFIQAR = ImportKind(
    name="difiqa-r",
    judges=Kind.UTILITY,
    layouts=(Layout(network="difiqa-r", calibration=of_labels(1.0, "2023")),),
    convention="arcface",
    crop=_ALIGNED,
    data=_VGGFACE,
    licence=_NONE,
    commercial=False,
    source="https://github.com/LSIbabnikz/DifFIQA",
)
_FACEQNET = ImportKind(
    name="faceqnet",
    judges=Kind.UTILITY,
    layouts=(Layout(network="faceqnet", calibration=of_labels(1.0, "2019")),),
    convention="bgr-raw",
    crop=_whole(224, "area"),
    data="VGGFace2, similarity to the ICAO-compliant picture of the same person",
    licence="non-profit use with citation, says issue 11 of the repository",
    commercial=False,
    source="https://github.com/javier-hernandezo/FaceQnet",
)

KINDS = {
    kind.name: kind
    for kind in (
        _efficient("student", 352),
        _efficient("teacher", 448),
        _AIKD,
        _crfiqa("l", 100, "MS1MV2"),
        _crfiqa("s", 50, "CASIA-WebFace"),
        _MAGFACE,
        _SDDFIQA,
        _DIFFIQAR,
        _ediffiqa("t", "mobile", f"{_NONE}; CC BY 4.0 for the ONNX file in opencv_zoo"),
        _ediffiqa("s", "18"),
        _ediffiqa("m", "50"),
        _ediffiqa("l", "100"),
        _FACEQNET,
    )
}
"""What ``facegauge models import`` knows, by name. A test holds this list."""
