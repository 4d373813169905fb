"""Drawn faces of invented people, with tables and a toy recogniser: enough to train on in seconds.

    data = make_data(tmp_path / "data")
    first.train(toy_recipe(), data, tmp_path / "run")

``known.csv`` names people and says who is for training, validation and test; the pictures of the
test rows do not exist. ``strangers.csv`` has pictures of nobody in particular. The validation is
as small as it can be: a threshold at a false match rate of 1/1000 needs 1000 non-mated pairs.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.random import default_rng
from onnx import TensorProto, helper, numpy_helper

from facegauge.baking import bake_quality, draft_card, load_bare, wrap_recogniser
from facegauge.cards import Crop, Kind, View, calibrate
from facegauge.conventions import CONVENTIONS
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.train.recipe_first import First
from facegauge.train.recipes import changed

SIZE = 64
WIDTH = 16
TRAINING, VALIDATION, TEST = 24, 48, 3
"""Faces by split: 4 people with 6 pictures each, 8 people with 6 each, and one without pictures."""
STRANGERS = 12
_SIDE = 96
_SMALL = (
    "backbone=test_resnet",
    "head_width=8",
    f"size={SIZE}",
    "views=2",
    "batch=4",
    "legs=2",
    "steps=2",
    "precision=32-true",
)


def toy_recipe(*changes: str) -> First:
    """The recipe ``first``, so small that two legs of two steps take a second."""
    return changed(First(), (*_SMALL, *changes))


def make_data(folder: Path) -> Path:
    """A data folder with two tables, their pictures and one recogniser."""
    folder.mkdir(parents=True)
    people = [(f"trained{i}", "train") for i in range(4)]
    people += [(f"held{i}", "validation") for i in range(8)]
    rows = [
        {**picture(folder / "known", name, number), "identity": name, "split": split}
        for name, split in people
        for number in range(6)
    ]
    missing = dict(rows[0], identity="tested", split="test")
    rows += [dict(missing, path=f"tested_{number}.png") for number in range(TEST)]
    write_table(folder / "known.csv", rows)
    strangers = [picture(folder / "strangers", f"stranger{i}", 0) for i in range(STRANGERS)]
    write_table(folder / "strangers.csv", strangers)
    make_recogniser(folder / "recognisers" / "toy.onnx")
    return folder


def picture(folder: Path, person: str, number: int) -> dict[str, Any]:
    """Draw one picture of a person; its row of a landmark table."""
    folder.mkdir(exist_ok=True)
    pixels, points = drawn(person, number)
    path = folder / f"{person}_{number}.png"
    cv2.imwrite(str(path), pixels[:, :, ::-1])
    numbers = np.round(points, 2).ravel().tolist()
    return {"path": path.name, **dict(zip(LANDMARK_COLUMNS[1:], numbers, strict=True))}


def drawn(person: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    """A face and its five landmarks: colours by person, place, light and noise by number."""
    looks = default_rng([*person.encode()])
    skin, hair, eyes, mouth = (looks.uniform(30, 225, 3) for _ in range(4))
    chance = default_rng([*person.encode(), number])
    middle, unit = chance.uniform(44, 52, 2), chance.uniform(9, 13)
    shape = np.array([(-1, -0.6), (1, -0.6), (0, 0.3), (-0.8, 1.3), (0.8, 1.3)])
    points = middle + unit * shape
    pixels = np.full((_SIDE, _SIDE, 3), chance.uniform(0, 255, 3))
    _ellipse(pixels, middle, (2.4 * unit, 3.0 * unit), hair)
    _ellipse(pixels, middle + np.array((0, 0.3 * unit)), (2.0 * unit, 2.5 * unit), skin)
    for point in points[:2]:
        _ellipse(pixels, point, (0.4 * unit, 0.25 * unit), eyes)
    _ellipse(pixels, points[3:].mean(axis=0), (0.8 * unit, 0.3 * unit), mouth)
    light = chance.uniform(0.4, 1.2)
    noisy = pixels * light + chance.normal(0, chance.uniform(1, 25), pixels.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), points


def write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Rows as csv, the keys of the first one as heading."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_table(path: Path) -> list[dict[str, Any]]:
    """The rows of a csv."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def change_table(path: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Rewrite a table row by row; rows for which ``change`` gives None are left out."""
    rows = [change(row) for row in read_table(path)]
    write_table(path, [row for row in rows if row is not None])


def make_recogniser(out: Path, seed: int = 0, width: int = WIDTH) -> Path:
    """A recogniser that projects an 8×8 thumbnail of the face."""
    bare = out.with_suffix(".bare")
    _save_network(bare, seed, width)
    wrap_recogniser(bare, "arcface", out, size=SIZE)
    bare.unlink()
    return out


def make_quality_model(out: Path) -> Path:
    """A model that scores and does not recognise."""
    bare = out.with_suffix(".bare")
    _save_network(bare, 0, 1)
    table = calibrate(np.linspace(-1, 1, 60), population="a ramp", date="2025-01-01")
    crop = Crop(view=View.ALIGNED, size=SIZE)
    card = draft_card("toy", "1", Kind.UTILITY, crop, calibration=table)
    bake_quality(load_bare(bare), CONVENTIONS["arcface"], card, out)
    bare.unlink()
    return out


def _save_network(path: Path, seed: int, width: int) -> None:
    pool = SIZE // 8
    weights = default_rng(seed).standard_normal((3 * 8 * 8, width)).astype(np.float32)
    nodes = [
        helper.make_node(
            "AveragePool", ["planes"], ["pooled"], kernel_shape=[pool, pool], strides=[pool, pool]
        ),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["answer"]),
    ]
    planes = helper.make_tensor_value_info("planes", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["n", width])
    constants = [numpy_helper.from_array(weights, "weights")]
    graph = helper.make_graph(nodes, "toy", [planes], [answer], constants)
    path.parent.mkdir(parents=True, exist_ok=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save(model, str(path))


def _ellipse(
    pixels: np.ndarray, centre: np.ndarray, axes: tuple[float, float], colour: np.ndarray
) -> None:
    middle, radii = np.round(centre).astype(int), np.round(axes).astype(int)
    cv2.ellipse(pixels, middle.tolist(), radii.tolist(), 0, 0, 360, colour.tolist(), -1)
