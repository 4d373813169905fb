"""Milliseconds for one crop on one thread: the default model beside LightQNet, and other files.

    python benchmarks/crop_time.py --data DATA [--models utility FILE.onnx ...]

DATA holds ``peers/lightqnet-*.onnx``. All run in the same ONNX Runtime on one thread, one crop of
112 pixels a call, in turns of one call each, in an order drawn anew; the median of the processor's
time counts, which other processes do not lengthen much. LightQNet's time holds what its file leaves
to the caller: the crop is resized to 96 pixels, its channels are swapped and its values scaled.
Ours takes the crop as it is. ``--eager`` adds the network of our default as PyTorch runs it without
an export, on one thread too, its weights drawn at random: they are not what takes time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from facegauge import costs, models
from facegauge.values import Pixels
from peers import lightqnet

SIDE = 112
REFERENCE = "lightqnet-dm100"

Judge = Callable[[Pixels], object]


def main() -> None:
    """Print the table in markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", nargs="+", default=[models.DEFAULT])
    parser.add_argument("--turns", type=int, default=400)
    parser.add_argument("--eager", action="store_true")
    options = parser.parse_args()
    judges = {name: ours(name) for name in options.models}
    for path in sorted((options.data / "peers").glob("lightqnet-*.onnx")):
        judges[path.stem] = on_one_crop(lightqnet(path, threads=1))
    if options.eager:
        judges["the default's network in PyTorch"] = eager()
    times = measured(judges, options.turns)
    print(f"| model | ms a crop, one thread | times {REFERENCE} | MACs, parameters, file |")
    print("|---|---|---|---|")
    for name, taken in times.items():
        ratio = taken / times[REFERENCE]
        print(f"| {name} | {taken * 1e3:.2f} | {ratio:.2f} | {_cost(name, options.models)} |")


def ours(name: str) -> Judge:
    """A model file of ours: uint8 in, score out."""
    model = models.open(name, threads=1)
    return on_one_crop(lambda crops: model.predict(crops).score)


def eager() -> Judge:
    """The default's network in PyTorch: uint8 in, raw quality out."""
    import torch

    from facegauge.train.alignment_network import distilled
    from facegauge.train.recipe_alignment import AiKdXxs
    from facegauge.train.students import planes

    torch.set_num_threads(1)
    network = distilled(AiKdXxs(network="slim"), []).eval()

    def judge(crops: Pixels) -> object:
        with torch.inference_mode():
            return network(planes(torch.from_numpy(crops)))

    return on_one_crop(judge)


def on_one_crop(judge: Judge) -> Judge:
    """What judges N crops, asked about one."""
    return lambda crop: judge(crop[None])


def measured(judges: dict[str, Judge], turns: int) -> dict[str, float]:
    """Median processor seconds of a call, all judges taking turns."""
    rng = np.random.default_rng(0)
    cv2.setNumThreads(1)
    taken: dict[str, list[float]] = {name: [] for name in judges}
    for turn in range(turns + 20):
        crop = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        for name in rng.permutation(list(judges)):  # caches keep what ran before
            begin = time.process_time()
            judges[name](crop)
            if turn >= 20:  # the first ones warm up
                taken[name].append(time.process_time() - begin)
    return {name: float(np.median(each)) for name, each in taken.items()}


def _cost(name: str, known: list[str]) -> str:
    if name not in known:
        return ""
    found = costs.measure(name)
    size = models.locate(name).stat().st_size / 1e6
    return f"{found.macs / 1e9:.3f} G, {found.parameters / 1e6:.2f} M, {size:.2f} MB"


if __name__ == "__main__":
    main()
