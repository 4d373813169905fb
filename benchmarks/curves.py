"""How fast is a curve, how much memory does it take, and what would a loop over pairs take?

    python benchmarks/curves.py [--comparisons 15000000] [--samples 500000] [--kind float64]

Each line is a process of its own: making the pairs, one EDC (preset ``difiqa``), and the highest
resident memory of the whole process. ``ijbc`` has 20,000 mated pairs and the rest non-mated, as
IJB-C has; ``half`` as many mated as non-mated; ``mated`` nothing else, at a given threshold.
``naive`` is a plain Python loop, one pair after the other, on fewer pairs; ``bootstrap`` takes ten
methods at once.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
import numpy.typing as npt

from facegauge.evaluate.bootstrap import compare_methods
from facegauge.evaluate.compared import ComparedPairs
from facegauge.evaluate.engine import edc
from facegauge.evaluate.presets import PRESETS

IJBC_MATED = 20_000
SHARES = {"half": 0.5, "mated": 1.0}
CASES = ("ijbc", "half", "mated")
THRESHOLD = 0.25
NAIVE = 1_000_000
BOOTSTRAP = {"people": 500, "each": 8, "methods": 10, "resamples": 1000}


def main() -> None:
    """Print a line per case."""
    options = _options()
    if options.case:
        print(CASE_RUNS[options.case](options))
        return
    for case in CASE_RUNS:
        command = [sys.executable, __file__, *sys.argv[1:], "--case", case]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def pairs_of(
    comparisons: int, samples: int, mated: int, kind: str
) -> tuple[ComparedPairs, npt.NDArray[np.float64]]:
    """Random pairs, the first of them mated, and a quality that helps a little."""
    rng = np.random.default_rng(0)
    quality = rng.normal(size=samples)
    first = rng.integers(0, samples, comparisons, dtype=np.int32)
    second = (first + rng.integers(1, samples, comparisons, dtype=np.int32)) % np.int32(samples)
    similarity = rng.standard_normal(comparisons, dtype=np.float32)
    similarity *= np.float32(0.1)
    similarity[:mated] += np.float32(0.5)
    lower = np.minimum(quality[first[:mated]], quality[second[:mated]])
    similarity[:mated] += np.float32(0.05) * lower.astype(np.float32)
    del lower
    pairs = ComparedPairs(
        samples=samples,
        first=first,
        second=second,
        similarity=similarity.astype(kind, copy=False),
        mated=np.arange(comparisons) < mated,
    )
    return pairs, quality


def one_curve(options: argparse.Namespace) -> str:
    """One EDC of many comparisons: seconds and memory."""
    count = options.comparisons
    mated = int(count * SHARES[options.case]) if options.case in SHARES else IJBC_MATED
    pairs, quality = pairs_of(count, options.samples, mated, options.kind)
    preset = PRESETS[options.preset]
    before, start = peak(), time.perf_counter()
    curve = edc(pairs, quality, preset, threshold=THRESHOLD if mated == count else None)
    pauc, took = curve.pauc(), time.perf_counter() - start
    return (
        f"{options.case}: {count:,} comparisons ({mated:,} mated, {options.samples:,} samples, "
        f"{options.kind}, {options.preset}): {took:.2f} s, {took / count * 1e9:.0f} ns a "
        f"comparison, peak {peak():.2f} GB (input alone {before:.2f} GB), pAUC {pauc:.4f}"
    )


def naive(options: argparse.Namespace) -> str:
    """A loop over pairs against the engine, on as many pairs as the loop is patient enough for."""
    pairs, quality = pairs_of(NAIVE, max(2, NAIVE // 30), NAIVE // 2, options.kind)
    start = time.perf_counter()
    curve = edc(pairs, quality)
    middle = time.perf_counter()
    pauc = naive_pauc(pairs, quality, curve.threshold, 0.3)
    took, ours = time.perf_counter() - middle, middle - start
    if abs(pauc - curve.pauc()) > 1e-12:
        raise SystemExit(f"The loop found {pauc}, the engine {curve.pauc()}.")
    return (
        f"naive: {NAIVE:,} comparisons: loop {took:.2f} s ({took / NAIVE * 1e9:.0f} ns a "
        f"comparison), engine {ours * 1e3:.1f} ms ({ours / NAIVE * 1e9:.0f} ns): "
        f"ratio {took / ours:.0f}; the same pAUC to 1e-12"
    )


def naive_pauc(
    pairs: ComparedPairs, quality: npt.NDArray[np.float64], threshold: float, limit: float
) -> float:
    """One pair after the other: look up, sort, and count what is left after each quality."""
    rows = []
    for place in range(len(pairs)):
        if pairs.mated[place]:
            worth = min(quality[pairs.first[place]], quality[pairs.second[place]])
            rows.append((worth, bool(pairs.similarity[place] < threshold)))
    rows.sort()
    left, errors = len(rows), sum(wrong for _, wrong in rows)
    start = error = errors / left
    area, before, level = 0.0, 0.0, rows[0][0]
    for worth, wrong in rows:
        if worth != level:
            discard = 1 - left / len(rows)
            area += error * (min(discard, limit) - min(before, limit))
            before, level, error = discard, worth, errors / left
        left, errors = left - 1, errors - wrong
    return (area + error * (limit - min(before, limit))) / (start * limit)


def intervals(options: argparse.Namespace) -> str:
    """The paired bootstrap of several methods."""
    people, each = BOOTSTRAP["people"], BOOTSTRAP["each"]
    rng = np.random.default_rng(0)
    low, high = np.triu_indices(each, 1)
    start = np.arange(people)[:, None] * each
    first, second = (start + low).ravel(), (start + high).ravel()
    pairs = ComparedPairs(
        samples=people * each,
        first=first,
        second=second,
        similarity=rng.normal(0.5, 0.1, first.size).astype(options.kind),
        mated=np.ones(first.size, dtype=np.bool_),
    )
    qualities = {f"{n}": rng.random(people * each) for n in range(BOOTSTRAP["methods"])}
    identities = np.repeat(np.arange(people), each)
    begin = time.perf_counter()
    compare_methods(pairs, qualities, identities, threshold=0.35, resamples=BOOTSTRAP["resamples"])
    return (
        f"bootstrap: {first.size:,} mated pairs, {BOOTSTRAP['methods']} methods, "
        f"{BOOTSTRAP['resamples']:,} resamples: {time.perf_counter() - begin:.2f} s, "
        f"peak {peak():.2f} GB"
    )


def peak() -> float:
    """The highest resident memory of this process until now, in GB (1e9 bytes)."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used * (1 if sys.platform == "darwin" else 1024) / 1e9


CASE_RUNS = {**dict.fromkeys(CASES, one_curve), "naive": naive, "bootstrap": intervals}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comparisons", type=int, default=15_000_000)
    parser.add_argument("--samples", type=int, default=500_000)
    parser.add_argument("--kind", choices=["float32", "float64"], default="float64")
    parser.add_argument("--preset", choices=list(PRESETS), default="difiqa")
    parser.add_argument("--case", choices=list(CASE_RUNS), help="this one alone, here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
