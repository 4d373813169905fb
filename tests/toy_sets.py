"""Small benchmark sets on disk in every layout, with pictures that the toy models take for faces.

place = lfw(tmp_path / "set")      # what ``facegauge evaluate set`` is given
"""

from __future__ import annotations

import csv
import io
import pickle
from pathlib import Path

import numpy as np
from PIL import Image

from facegauge.alignment import TEMPLATE
from facegauge.tables import LANDMARK_COLUMNS

PEOPLE, EACH = 6, 4
POINTS = (TEMPLATE + 15.125).ravel().tolist()


def picture(seed: int, side: int = 150, kind: str = "PNG") -> bytes:
    """The file of a random picture, of more contrast the higher the number."""
    pixels = 128 + (40 + 3 * seed) * np.random.default_rng(seed).uniform(-1, 1, (side, side, 3))
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, kind)
    return stream.getvalue()


def put(file: Path, data: bytes | str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.encode() if isinstance(data, str) else data)


def table(file: Path, *rows) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)


def lfw(root: Path, name: str = "pairs.txt") -> Path:
    """Two folds of 9 mated and 9 non-mated pairs."""
    for number in range(PEOPLE * EACH):
        person, shot = f"P{number // EACH}", number % EACH + 1
        put(root / person / f"{person}_{shot:04}.png", picture(number))
    lines = ["2\t9"]
    for fold in range(2):
        people = [f"P{3 * fold + at}" for at in range(3)]
        lines += [f"{person}\t1\t{other}" for person in people for other in (2, 3, 4)]
        lines += [
            f"{person}\t{shot}\tP{5 - 3 * fold}\t4" for person in people for shot in (1, 2, 3)
        ]
    put(root / name, "\n".join(lines) + "\n")
    return root


def xqlfw(root: Path) -> Path:
    return lfw(root, "xqlfw_pairs.txt")


def insightface(root: Path) -> Path:
    """12 mated and 12 non-mated pairs of 24 pictures, the last one a PNG."""
    files = [picture(at, 112, "PNG" if at == 23 else "JPEG") for at in range(24)]
    pairs = [(2 * at, 2 * at + 1, True) for at in range(12)]
    pairs += [(2 * at, (2 * at + 3) % 24, False) for at in range(12)]
    listed = [files[at] for first, second, _ in pairs for at in (first, second)]
    put(root / "toy.bin", pickle.dumps((listed, [mated for *_, mated in pairs])))
    return root / "toy.bin"


def adience(root: Path) -> Path:
    """Three folds of two people, and a face that is in no fold."""
    for number in range(PEOPLE * EACH):
        person, shot = number // EACH, number % EACH
        fold = root / f"fold_{person // 2}_data.txt"
        if not fold.exists():
            put(fold, "user_id\toriginal_image\tface_id\n")
        with fold.open("a") as lines:
            lines.write(f"{person}@N0\t{shot}.png\t7\n")
        put(root / f"faces/{person}@N0/coarse_tilt_aligned_face.7.{shot}.png", picture(number))
    put(root / "faces/9@N0/coarse_tilt_aligned_face.1.0.png", picture(99))
    return root


def ijb(root: Path, alone: bool = False) -> Path:
    """Two templates a person, each with one picture of one medium and two of another.

    ``alone`` makes every picture a template and a medium of its own.
    """
    faces, marks, templates = [], [], {}
    for number in range(PEOPLE * 6):
        name, person = f"{number + 1}.png", number // 6
        template, medium = (number + 5, number) if alone else (100 - number // 3, number % 3 % 2)
        templates[template] = person
        faces.append(f"{name} {template} {medium}")
        marks.append(" ".join([name, *map(str, POINTS), "0.99"]))
        put(root / "loose_crop" / name, picture(number))
    pairs = [
        f"{a} {b} {int(templates[a] == templates[b])}"
        for a in templates
        for b in templates
        if a < b
    ]
    put(root / "meta/ijbc_face_tid_mid.txt", "\n".join(faces))
    put(root / "meta/ijbc_name_5pts_score.txt", "\n".join(marks))
    put(root / "meta/ijbc_template_pair_label.txt", "\n".join(pairs))
    return root


def folder(root: Path) -> Path:
    """Photographs with landmarks; one of them shows two faces, one has none."""
    names = [f"p{number // EACH}/{number % EACH}.png" for number in range(PEOPLE * EACH)]
    for number, name in enumerate(names):
        put(root / name, picture(number))
    small = [value / 2 for value in POINTS]
    table(root / "identities.csv", ("path", "identity"), *((each, each[:2]) for each in names))
    marks = [(each, *POINTS) for each in names[:-1]] + [(names[3], *small)]
    table(root / "landmarks.csv", LANDMARK_COLUMNS, *marks)
    return root
