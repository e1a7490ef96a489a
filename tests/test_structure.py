"""The house keeps its shape: what lint-imports cannot say about files, classes and functions."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("fer_live", "training", "export")
MAX_FUNCTION_LINES = 60
MAX_METHODS = 25
MAX_WINDOW_LINES = 400
MAX_TOP_FILES = 6


def files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def nodes(kind: type[ast.AST] | tuple[type[ast.AST], ...]) -> Iterator[tuple[str, ast.AST]]:
    for file in files(*PACKAGES):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, kind):
                yield f"{file.relative_to(ROOT)}:{node.name}", node  # type: ignore[attr-defined]


FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_no_function_is_longer_than_a_screen():
    lengths = {where: node.end_lineno - node.lineno + 1 for where, node in nodes(FUNCTION)}  # type: ignore[attr-defined]
    assert {w: n for w, n in lengths.items() if n > MAX_FUNCTION_LINES} == {}


def test_no_class_has_too_many_methods():
    methods = {
        where: sum(isinstance(child, FUNCTION) for child in node.body)  # type: ignore[attr-defined]
        for where, node in nodes(ast.ClassDef)
    }
    assert {w: n for w, n in methods.items() if n > MAX_METHODS} == {}


def test_no_two_classes_have_one_name():
    names = Counter(where.partition(":")[2] for where, _ in nodes(ast.ClassDef))
    assert [name for name, n in names.items() if n > 1] == []


def test_the_top_of_the_app_and_its_window_stay_small():
    top = [path.name for path in (ROOT / "fer_live").iterdir() if path.is_file()]
    assert len(top) <= MAX_TOP_FILES, top
    window = (ROOT / "fer_live/window/main_window.py").read_text().splitlines()
    assert len(window) < MAX_WINDOW_LINES


@pytest.mark.parametrize("package", ["mediapipe", "onnxruntime"])
def test_a_heavy_package_has_one_adapter(package: str):
    adapters = [file for file in files("fer_live") if package in imported(file)]
    assert len(adapters) == 1, adapters


def test_every_room_says_what_it_is_for():
    for package in PACKAGES:
        for folder in (ROOT / package).rglob("*/"):
            if any(folder.glob("*.py")):
                text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
                assert text and len(text.split()) >= 6, folder


def test_no_test_imports_another():
    for file in files("tests"):
        found = [name for name in imported(file) if name.startswith("tests.")]
        programs = ("tests.helpers", "tests.trust")
        assert all(name.startswith(programs) and ".test_" not in name for name in found), file


def imported(file: Path) -> set[str]:
    """Modules that a file imports anywhere in it; what only a type checker reads does not count."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names | {name.partition(".")[0] for name in names}
