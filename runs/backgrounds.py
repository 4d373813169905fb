"""Write scikit-image's pictures without faces into a folder: what a detector must be silent on.

    python runs/backgrounds.py TRAIN/backgrounds

Six of them (chelsea the cat, coffee, coins, page, rocket, text) are left out: the benchmark asks
the detector about pictures it has not seen.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from skimage import data

LEARNED = (
    *("brick", "cell", "clock", "colorwheel", "grass", "gravel", "horse", "hubble_deep_field"),
    *("immunohistochemistry", "logo", "microaneurysms", "moon", "retina", "shepp_logan_phantom"),
)


def main(folder: Path) -> None:
    """Write each picture as RGB PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in LEARNED:
        picture = getattr(data, name)()
        if picture.dtype != "uint8":
            picture = (255 * (picture / picture.max())).astype("uint8")
        Image.fromarray(picture).convert("RGB").save(folder / f"{name}.png")
    Image.fromarray(data.stereo_motorcycle()[0]).save(folder / "motorcycle.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
