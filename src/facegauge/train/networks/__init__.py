"""Networks with published key layouts, by name: what foreign checkpoints are loaded into.

Written from the layouts' facts: layer order, shapes and names of the published code, each named in
its own file. Quality networks answer with one number a crop; recognisers with an embedding.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from facegauge.train.networks.heads import AiKd, CrFiqa, DifFiqaR, EDifFiqa, MagFace
from facegauge.train.networks.ir50 import SddFiqa
from facegauge.train.networks.iresnet import IResNet
from facegauge.train.networks.mobilefacenet import FoamliuMobileFaceNet, MobileFaceNet
from facegauge.train.networks.regressors import (
    EfficientFiqaStudent,
    EfficientFiqaTeacher,
    FaceQnet,
)

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "iresnet18": lambda: IResNet(18),
    "iresnet50": lambda: IResNet(50),
    "iresnet100": lambda: IResNet(100),
    "mobilefacenet": MobileFaceNet,
    "mobilefacenet-foamliu": FoamliuMobileFaceNet,
    "efficient-fiqa-student": EfficientFiqaStudent,
    "efficient-fiqa-teacher": EfficientFiqaTeacher,
    "ai-kd": AiKd,
    "cr-fiqa-50": lambda: CrFiqa(50),
    "cr-fiqa-100": lambda: CrFiqa(100),
    "magface-50": lambda: MagFace(50),
    "magface-100": lambda: MagFace(100),
    "sdd-fiqa": SddFiqa,
    "difiqa-r": DifFiqaR,
    "ediffiqa-mobile": lambda: EDifFiqa(MobileFaceNet()),
    "ediffiqa-18": lambda: EDifFiqa(IResNet(18)),
    "ediffiqa-50": lambda: EDifFiqa(IResNet(50)),
    "ediffiqa-100": lambda: EDifFiqa(IResNet(100)),
    "faceqnet": FaceQnet,
}
"""Recognisers first, then networks with one number a crop."""
