"""Where a network runs: on the device asked for, or nowhere."""

import onnxruntime
import pytest

from facegauge import devices
from facegauge.bench.roofline import _PRODUCT
from facegauge.errors import OptionError


def test_the_cpu_is_always_there():
    assert devices.session(_PRODUCT).get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize(
    ("device", "way"), [("cuda", "onnxruntime-gpu"), ("openvino", "onnxruntime-openvino")]
)
def test_a_device_that_is_not_there_is_refused_with_the_way_to_it(monkeypatch, device, way):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(OptionError) as caught:
        devices.session(_PRODUCT, 1, device)
    said = str(caught.value)
    assert "Expected a device that is available here (cpu)" in said
    assert f"got {device!r}" in said
    assert way in said


@pytest.mark.parametrize("device", ["tpu", "", "CPU"])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(OptionError, match="Devices are cpu, cuda, openvino"):
        devices.session(_PRODUCT, 1, device)


@pytest.mark.parametrize("device", ["cuda", "openvino"])
def test_a_device_that_cannot_be_started_is_refused_not_replaced(monkeypatch, device):
    """ONNX Runtime lists it, cannot load its libraries, and would go on with the CPU."""

    class Replaced:
        def __init__(self, *_args) -> None:
            pass

        def get_providers(self) -> list[str]:
            return ["CPUExecutionProvider"]

    every = list(devices.PROVIDERS.values())
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: every)
    monkeypatch.setattr(onnxruntime, "InferenceSession", Replaced)
    with pytest.raises(OptionError, match="could not start it: it has CPUExecutionProvider"):
        devices.session(_PRODUCT, 1, device)


def test_what_a_provider_is_told(monkeypatch):
    told = {}

    class Session:
        def __init__(self, model, options, providers, settings) -> None:
            told.update(zip(providers, settings, strict=True))
            told["spinning"] = options.get_session_config_entry("session.intra_op.allow_spinning")
            told["threads"] = options.intra_op_num_threads

        def get_providers(self) -> list[str]:
            return list(devices.PROVIDERS.values())

    every = list(devices.PROVIDERS.values())
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: every)
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    devices.session("x.onnx", 3, "openvino")
    assert told == {
        "OpenVINOExecutionProvider": {
            "device_type": "CPU",
            "precision": "FP32",
            "num_of_threads": "3",
        },
        "CPUExecutionProvider": {},
        "spinning": "0",
        "threads": 3,
    }


def test_no_threads_are_refused():
    with pytest.raises(OptionError, match="one thread or more, got 0"):
        devices.session(_PRODUCT, 0)
