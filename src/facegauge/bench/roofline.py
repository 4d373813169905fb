"""The most arithmetic one thread does here: a large product of matrices, measured, not looked up.

A network's share of it says how much of its time is multiplication, and how much is waiting for
memory and moving numbers. It runs through ONNX Runtime as networks do, on the same kernels.
"""

from __future__ import annotations

import time

import numpy as np

from facegauge import devices

SIDE = 768
"""Rows and columns of the matrices: 7 MB, and 0.9 G floating-point operations."""
_TURNS = 8

# c = a b as an ONNX file (opset 13, float32), so that none of it needs the package onnx.
_PRODUCT = (
    b'\x08\x07:[\n\x11\n\x01a\n\x01b\x12\x01c"\x06MatMul\x12\x01gZ\x15\n\x01a\x12\x10\n\x0e\x08\x01'
    b"\x12\n\n\x03\x12\x01m\n\x03\x12\x01kZ\x15\n\x01b\x12\x10\n\x0e\x08\x01\x12\n\n\x03\x12\x01k\n"
    b"\x03\x12\x01nb\x15\n\x01c\x12\x10\n\x0e\x08\x01\x12\n\n\x03\x12\x01m\n\x03\x12\x01nB\x04\n\x00"
    b"\x10\r"
)


def gigaflops(threads: int = 1) -> float:
    """Floating-point operations (two a multiply-add) in 1e9 a second, on so many CPU threads.

    The best of several turns: another process can only make one slower.
    """
    session = devices.session(_PRODUCT, threads)
    rng = np.random.default_rng(0)
    a, b = rng.random((2, SIDE, SIDE), dtype=np.float32)
    taken = []
    for _ in range(_TURNS):
        start = time.perf_counter()
        session.run(["c"], {"a": a, "b": b})
        taken.append(time.perf_counter() - start)
    return float(2 * SIDE**3 / min(taken) / 1e9)
