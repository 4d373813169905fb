"""Devices that networks run on, as ONNX Runtime knows them; never another one in silence."""

from __future__ import annotations

from collections.abc import Sequence

import onnxruntime

from facegauge.errors import OptionError

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
"""ONNX Runtime's name for each device."""
DEVICES = " | ".join(PROVIDERS)
"""The names of all devices, for a line of help."""

_WAYS = {
    "cuda": "Replace the package onnxruntime by onnxruntime-gpu, on a machine with an NVIDIA "
    "driver, CUDA and cuDNN",
    "openvino": "Replace the package onnxruntime by onnxruntime-openvino",
}
_LACKING = "; or leave the device out to compute on the CPU."


def session(
    model: str | bytes, threads: int | None = None, device: str = "cpu"
) -> onnxruntime.InferenceSession:
    """Open a network: the path or the bytes of an ONNX file.

    Threads that wait for work sleep. ONNX Runtime's habit of spinning meanwhile takes cores from
    those that decode and align.

    Args:
        model: path or content.
        threads: threads for one run; None leaves the choice to ONNX Runtime (all cores).
        device: one of ``PROVIDERS``.

    Raises:
        OptionError: fewer than one thread, an unknown device, or one that is not available here.
        Exception: what ONNX Runtime says of a file it cannot open.
    """
    provider = require(device)
    options = onnxruntime.SessionOptions()
    if threads is not None and threads < 1:
        raise OptionError(f"Expected one thread or more, got {threads}.")
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    wanted = list(dict.fromkeys([provider, PROVIDERS["cpu"]]))  # the CPU does what others cannot
    settings = [_settings(device, threads), {}][: len(wanted)]
    opened = onnxruntime.InferenceSession(model, options, wanted, settings)
    _refuse_another(device, opened.get_providers())
    return opened


def require(device: str) -> str:
    """The provider of a device that is available here.

    Raises:
        OptionError: there is none; the message says how to get it.
    """
    here = onnxruntime.get_available_providers()
    provider = PROVIDERS.get(device)
    if provider in here:
        return str(provider)
    names = [name for name, each in PROVIDERS.items() if each in here]
    came = f"Expected a device that is available here ({', '.join(names)}), got {device!r}."
    way = _WAYS.get(device, f"Devices are {', '.join(PROVIDERS)}")
    raise OptionError(f"{came} {way}{_LACKING}")


def _settings(device: str, threads: int | None) -> dict[str, str]:
    """What a provider is told: OpenVINO to compute in full precision, on so many threads."""
    if device != "openvino":
        return {}
    pinned = {} if threads is None else {"num_of_threads": str(threads)}
    return {"device_type": "CPU", "precision": "FP32", **pinned}


def _refuse_another(device: str, came: Sequence[str]) -> None:
    """ONNX Runtime goes on without a provider whose libraries it cannot load."""
    if PROVIDERS[device] not in came:
        raise OptionError(
            f"Expected to compute on the device {device!r}, but ONNX Runtime could not start it: "
            f"it has {', '.join(came)}. {_WAYS[device]}{_LACKING}"
        )
