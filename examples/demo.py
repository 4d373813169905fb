"""Find and score the face in a portrait and in worse versions of it, and draw what came out.

    python examples/demo.py FOLDER

Needs scikit-image for its portrait of the astronaut Eileen Collins (NASA, public domain). FOLDER
receives the photographs, a drawing of each with the face that was found, and a sheet of all.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from facegauge import Outcome, Pixels, Scorer, ScoreRow, score_images
from facegauge.drawing import Drawings

TILE = 168


def main(folder: Path) -> None:
    """Make the photographs, score them, print the table and draw the sheet."""
    photos, drawn = folder / "photos", folder / "drawn"
    photos.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(drawn, ignore_errors=True)
    for name, pixels in versions(data.astronaut()).items():
        Image.fromarray(pixels).save(photos / f"{name}.png")
    (photos / "broken.jpg").write_text("This is no picture.")
    rows: list[ScoreRow] = []
    drawings = Drawings(drawn, [photos])
    score_images([photos], scorer=Scorer(), emit=rows.append, seen=drawings.draw)
    rows.sort(key=lambda row: -1.0 if row.score is None else row.score, reverse=True)
    for row in rows:
        score = "    -" if row.score is None else f"{row.score:5.1f}"
        print(f"{score}  {row.path:16} {row.outcome:11} {row.detail}")
    sheet(drawn, rows).save(folder / "sheet.png")
    print(f"Drawn in {drawn}, all in one in {folder / 'sheet.png'}")


def versions(portrait: Pixels) -> dict[str, Pixels]:
    """The portrait as it is, seven worse ones, and a blank picture."""
    noise = np.random.default_rng(0).normal(0, 45, portrait.shape)
    covered, width = portrait.copy(), portrait.shape[1]
    covered[118:200, 170:280] = (60, 90, 120)
    small = cv2.resize(portrait, (width // 7, width // 7), interpolation=cv2.INTER_AREA)
    _, crushed = cv2.imencode(".jpg", portrait, [cv2.IMWRITE_JPEG_QUALITY, 4])
    streak = np.eye(17, dtype=np.float32) / 17
    return {
        "portrait": portrait,
        "defocused": cv2.GaussianBlur(portrait, (0, 0), 4.0),
        "shaken": cv2.filter2D(portrait, -1, streak),
        "dark": (portrait * 0.07).astype(np.uint8),
        "noisy": np.clip(portrait + noise, 0, 255).astype(np.uint8),
        "far-away": cv2.resize(small, (width, width), interpolation=cv2.INTER_CUBIC),
        "crushed": cv2.imdecode(crushed, cv2.IMREAD_COLOR),
        "covered": covered,
        "blank": np.full_like(portrait, 128),
    }


def sheet(drawn: Path, rows: list[ScoreRow]) -> Image.Image:
    """One tile per photograph, best first: the face as it was found, the score, the file name."""
    shown = [row for row in rows if row.path != "broken.jpg"]
    columns = (len(shown) + 1) // 2
    whole = Image.new("RGB", (columns * (TILE + 8) + 8, 2 * (TILE + 44) + 8), "white")
    for number, row in enumerate(shown):
        corner = (8 + number % columns * (TILE + 8), 8 + number // columns * (TILE + 44))
        face = Image.open(drawn / f"{row.path}.jpg").crop((138, 30, 306, 198)).resize((TILE, TILE))
        whole.paste(face, corner)
        label(whole, (corner[0], corner[1] + TILE + 2), row)
    return whole


def label(sheet: Image.Image, corner: tuple[int, int], row: ScoreRow) -> None:
    """Score and file name under a tile."""
    pen, (x, y) = ImageDraw.Draw(sheet), corner
    text = f"{row.score:.1f}" if row.score is not None else str(Outcome(row.outcome))
    pen.text((x, y), text, fill="black", font=ImageFont.load_default(19))
    pen.text((x, y + 22), row.path, fill="#555555", font=ImageFont.load_default(13))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
