"""Write pictures without faces into a folder: what a detector must be silent on.

    python runs/backgrounds.py TRAIN/backgrounds [TRAIN/others]

Some are scikit-image's, others are drawn: soft noise, stripes, and plates and discs in relief under
light from one side. Six of scikit-image's (chelsea the cat, coffee, coins, page, rocket, text) are
left out: the benchmark asks the detector about pictures it has not seen. The second folder gets
photographs of animals and places that come with two packages, which nothing else here needs:
``pip install --no-deps scikit-learn gradio``.
"""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage import data

LEARNED = (
    *("brick", "cell", "clock", "colorwheel", "grass", "gravel", "horse", "hubble_deep_field"),
    *("immunohistochemistry", "logo", "microaneurysms", "moon", "retina", "shepp_logan_phantom"),
)
OTHERS = {
    "sklearn": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
    "gradio": (
        *(f"media_assets/images/{name}.jpg" for name in ("cheetah", "cheetah1", "lion", "tower")),
        "test_data/cheetah2.jpg",
    ),
}
"""Photographs without people inside of packages, by the name that is imported."""
DRAWN = 20
"""Pictures of each drawn kind."""
SIDE = 320
TILES = 4
"""Plates or discs in a row and in a column."""

Plane = npt.NDArray[np.float64]


def main(folder: Path) -> None:
    """Write each picture as RGB PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in LEARNED:
        picture = getattr(data, name)()
        if picture.dtype != "uint8":
            picture = (255 * (picture / picture.max())).astype("uint8")
        Image.fromarray(picture).convert("RGB").save(folder / f"{name}.png")
    Image.fromarray(data.stereo_motorcycle()[0]).save(folder / "motorcycle.png")
    for number in range(DRAWN):
        for kind in (noise, stripes, reliefs):
            rng = np.random.default_rng((number, len(kind.__name__)))
            tinted(kind(rng), rng).save(folder / f"{kind.__name__}{number:02}.png")


def others(folder: Path) -> None:
    """Copy the photographs of other packages."""
    folder.mkdir(parents=True, exist_ok=True)
    for package, names in OTHERS.items():
        found = find_spec(package)
        if found is None or found.origin is None:
            sys.exit(f"Expected pictures of {package}. pip install --no-deps scikit-learn gradio")
        for name in names:
            shutil.copy(Path(found.origin).parent / name, folder)


def noise(rng: np.random.Generator) -> Plane:
    """Soft noise of several sizes, S×S, about 0..1."""
    layers = [soft(rng, SIDE, size) * size**0.5 for size in (3, 8, 20, 50)]
    return scaled(sum(layers[int(rng.integers(3)) :], np.zeros((SIDE, SIDE))))


def stripes(rng: np.random.Generator) -> Plane:
    """Waves of two directions."""
    ys, xs = np.mgrid[:SIDE, :SIDE]
    waves = [
        np.sin((xs * np.cos(a) + ys * np.sin(a)) * rng.uniform(0.05, 0.6))
        for a in rng.uniform(0, np.pi, 2)
    ]
    return scaled(waves[0] + rng.uniform(0, 1) * waves[1])


def reliefs(rng: np.random.Generator) -> Plane:
    """Rows of round or square plates with a rim and a soft relief, on a plain ground."""
    side, light = SIDE // TILES, rng.uniform(0, 2 * np.pi)
    ground = np.full((SIDE, SIDE), rng.uniform(0.0, 0.5))
    ys, xs = (np.mgrid[:side, :side] - side / 2) / (side / 2)
    distance = np.hypot(xs, ys) if rng.random() < 0.7 else np.maximum(abs(xs), abs(ys))
    for row in range(TILES):
        for column in range(TILES):
            radius = rng.uniform(0.6, 0.95)
            height = soft(rng, side, int(rng.integers(8, 26))) + 0.3 * soft(rng, side, 4)
            height = rng.uniform(1, 4) * height + 3.0 * (distance > 0.88 * radius)
            down, across = np.gradient(cv2.GaussianBlur(height, (0, 0), 1.2))
            lit = 0.55 + 0.3 * (across * np.cos(light) + down * np.sin(light))
            place = ground[row * side : (row + 1) * side, column * side : (column + 1) * side]
            place[distance < radius] = lit[distance < radius]
    return ground.clip(0, 1)


def soft(rng: np.random.Generator, side: int, size: int) -> Plane:
    """Noise in which spots have a size in pixels, S×S, deviation 1."""
    drawn = rng.normal(size=(max(2, side // size), max(2, side // size)))
    found = cv2.resize(drawn, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(found / found.std())


def scaled(plane: Plane) -> Plane:
    """From 0 to 1."""
    return (plane - plane.min()) / (plane.max() - plane.min())


def tinted(plane: Plane, rng: np.random.Generator) -> Image.Image:
    """A plane 0..1 between two colours, or in grey."""
    ends = rng.uniform(0, 255, (2, 3))
    if rng.random() < 0.5:
        ends = ends.mean(axis=1, keepdims=True).repeat(3, axis=1)
    colours = ends[0] + plane[:, :, None] * (ends[1] - ends[0])
    return Image.fromarray(colours.clip(0, 255).astype(np.uint8))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        others(Path(sys.argv[2]))
