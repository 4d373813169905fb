"""The README tells the truth: its tree, its Python, its length."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SOURCE = ROOT / "src" / "facegauge"


def summary(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, f"{path} has no docstring"
    return docstring.splitlines()[0].rstrip(".")


def rooms() -> list[Path]:
    modules = [path for path in SOURCE.glob("*.py") if path.name != "__init__.py"]
    return modules + list(SOURCE.glob("*/__init__.py"))


@pytest.mark.parametrize("path", rooms(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_tree_names_every_room_with_its_own_words(path: Path) -> None:
    name = f"{path.parent.name}/" if path.name == "__init__.py" else path.name
    lines = [line for line in README.splitlines() if line.split(" ")[0] == name]
    assert lines == [f"{name:18}{summary(path)}"]


def test_tree_names_nothing_else() -> None:
    tree = README.split("## The house")[1].split("```")[1].strip().splitlines()
    known = {path.name for path in SOURCE.iterdir()}
    assert {line.split(" ")[0].rstrip("/") for line in tree} <= known


def test_length() -> None:
    assert len(README.splitlines()) <= 150


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from PIL import Image
    from skimage import data

    Image.fromarray(data.astronaut()).save(tmp_path / "portrait.png")
    monkeypatch.chdir(tmp_path)
    [block] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(block, "README.md", "exec"), {})  # noqa: S102
    outcome, score = capsys.readouterr().out.split()
    assert outcome == "scored"
    assert 0.0 < float(score) < 100.0
