"""Toy recognisers, opened once for all tests of techniques."""

import pytest

from facegauge import models
from toy_recognisers import conv_recogniser, gemm_recogniser


@pytest.fixture(scope="session")
def gemm(tmp_path_factory):
    return models.open(gemm_recogniser(tmp_path_factory.mktemp("toy") / "gemm.onnx"), threads=1)


@pytest.fixture(scope="session")
def conv(tmp_path_factory):
    return models.open(conv_recogniser(tmp_path_factory.mktemp("toy") / "conv.onnx"), threads=1)


@pytest.fixture(params=["gemm", "conv"])
def recogniser(request):
    return request.getfixturevalue(request.param)
