"""Nothing that is read as data can become a program: a look at every call of the packages."""

import ast
import io
import pickle
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from fer_live.recording.row_index import INDEX_FILE, load_index
from tests.helpers.results import LABELS

ROOT = Path(__file__).parents[2]
PACKAGES = ("fer_live", "training", "export")
FORBIDDEN = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "os.execv",
    "os.startfile",
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "marshal.load",
    "marshal.loads",
    "shelve.open",
    "dill.load",
    "joblib.load",
    "yaml.load",
    "yaml.unsafe_load",
    "pandas.read_pickle",
    "pd.read_pickle",
    "torch.jit.load",
    "torch.hub.load",
    "importlib.import_module",
    "runpy.run_path",
    "subprocess.getoutput",
    "shutil.unpack_archive",
    "xml.etree.ElementTree.parse",
}
METHODS = {"extractall", "extract", "read_pickle", "load_module", "exec_module", "setHtml"}
ALLOWED = {
    # The names of the modules that lie beside it.
    ("fer_live/outputs/registry.py", "importlib.import_module"),
    # What it paints is escaped: tests/fer_live/window/test_timeline.py.
    ("fer_live/window/widgets/timeline_plot.py", "setHtml"),
}
NETWORK = re.compile(
    r"^(requests|urllib\.request|urllib3|http\.client|httpx|aiohttp|ftplib|smtplib)$"
)
"""Modules that open connections of their own accord: no file of the packages needs one."""
ASKS_A_STREAM = "fer_live/sources/redirects.py"
"""Asks the address of a stream that the person named where it leads, and no other."""
PURE = "url2pathname"
"""Of `urllib.request`, turns a file's address into its path, and asks nobody."""


@cache
def trees() -> list[tuple[str, ast.AST]]:
    """Each file of the packages, by its path from the root."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in paths
    ]


def name_of(node: ast.expr) -> str:
    """The dotted name of what is called; what is called on another call is its last part."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return ""


def misused(call: ast.Call) -> str:
    """Why this call could run what it reads; empty where it could not."""
    name = name_of(call.func)
    said = {word.arg: word.value for word in call.keywords}

    def is_said(word: str, value: object) -> bool:
        node = said.get(word)
        return isinstance(node, ast.Constant) and node.value is value

    if name in FORBIDDEN:
        return name
    if isinstance(call.func, ast.Attribute) and call.func.attr in METHODS:
        return call.func.attr
    if name == "torch.load" and not is_said("weights_only", True):
        return "torch.load without weights_only=True"
    if name in ("np.load", "numpy.load") and not is_said("allow_pickle", False):
        return "np.load without allow_pickle=False"
    if is_said("shell", True):
        return f"{name} with shell=True"
    return ""


def calls_in(tree: ast.AST) -> list[tuple[int, str]]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [(node.lineno, why) for node in nodes if (why := misused(node))]


def test_no_call_runs_what_it_reads():
    found = [
        f"{path}:{line}: {why}"
        for path, tree in trees()
        for line, why in calls_in(tree)
        if (path, why) not in ALLOWED
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "eval(text)",
        "pickle.loads(b)",
        "torch.load(p)",
        "torch.load(p, weights_only=False)",
        "np.load(p)",
        "np.load(p, allow_pickle=True)",
        "subprocess.run(a, shell=True)",
        "zipfile.ZipFile(p).extractall(q)",
        "yaml.load(t)",
    ],
)
def test_the_look_sees_what_it_looks_for(text: str):
    assert calls_in(ast.parse(text))
    assert not calls_in(ast.parse("np.load(p, allow_pickle=False); net.eval(); dialog.exec()"))


def test_no_module_is_imported_that_asks_other_machines():
    found = []
    for path, tree in trees():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and {n.name for n in node.names} != {PURE}:
                names.append(node.module or "")
            found += [f"{path}: {name}" for name in names if NETWORK.match(name)]
    assert [place for place in found if not place.startswith(ASKS_A_STREAM)] == []


class Boom:
    """What unpickles it learns that it does."""

    def __reduce__(self) -> tuple[object, ...]:
        return pytest.fail, ("it was run",)


@pytest.mark.parametrize("how", ["array", "whole"])
def test_a_program_in_the_place_of_an_index_does_not_run(tmp_path: Path, how: str):
    """A recording from a stranger: the index beside the rows is the one file of NumPy in it."""
    rows = tmp_path / "faces.jsonl"
    rows.touch()
    content = io.BytesIO()
    if how == "array":
        np.savez(content, of=np.array([Boom()], dtype=object))
    else:
        pickle.dump(Boom(), content)
    (tmp_path / INDEX_FILE).write_bytes(content.getvalue())
    assert load_index(rows, LABELS) is None
