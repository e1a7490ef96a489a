"""An output declares itself in its own file, and is then found everywhere."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import fer_live.outputs
from fer_live.checkup.examination import examine, report
from fer_live.commands.cli import build_parser
from fer_live.commands.options import outputs_from
from fer_live.errors import InputError
from fer_live.outputs import registry
from fer_live.outputs.kind import Opening
from fer_live.outputs.registry import (
    as_markdown,
    check_outputs,
    missing_extra,
    open_output,
    output_kinds,
)
from fer_live.window.dialogs.output_card import OutputState
from fer_live.window.dialogs.outputs_dialog import OutputsDialog
from tests.helpers.results import LABELS, result

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "data_out.md"

LAMP = '''
"""A lamp that shows how many faces there are."""

from fer_live.errors import InputError
from fer_live.outputs.kind import OutputKind


class Lamp:
    def __init__(self, opening):
        self.where, self.counts = opening.where, []

    def write(self, source, result):
        self.counts.append(len(result.faces))

    def close(self):
        pass

    abandon = close


def check(where):
    if not where.isdecimal():
        raise InputError(f"{where}: not the number of a lamp")


OUTPUT = OutputKind(
    name="stage_lamp",
    title="Stage lamp",
    purpose="For theatres.",
    metavar="NUMBER",
    help="the number of faces, as light",
    open=Lamp,
    check=check,
    suggest=lambda: "7",
    extra="lamp",
    package="no_such_lamp_package",
    position=5,
)
'''


@pytest.fixture
def lamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more file in the folder of outputs, and no other change."""
    (tmp_path / "stage_lamp.py").write_text(LAMP)
    monkeypatch.setattr(fer_live.outputs, "__path__", [*fer_live.outputs.__path__, str(tmp_path)])
    yield
    sys.modules.pop("fer_live.outputs.stage_lamp", None)


@pytest.mark.usefixtures("lamp")
def test_the_command_line_has_its_option():
    arguments = build_parser().parse_args(["--stage-lamp", "3"])
    assert outputs_from(arguments) == {"stage_lamp": "3"}
    arguments = build_parser().parse_args(["analyze", "a.mp4", "--stage-lamp", "4"])
    assert outputs_from(arguments) == {"stage_lamp": "4"}


@pytest.mark.usefixtures("lamp")
def test_its_own_check_and_its_missing_package_are_told():
    with pytest.raises(InputError, match="--stage-lamp: left: not the number of a lamp"):
        check_outputs({"stage_lamp": "left"})
    with pytest.raises(InputError, match=r"needs no_such_lamp_package.*pip install '\.\[lamp\]'"):
        check_outputs({"stage_lamp": "3"})


@pytest.mark.usefixtures("lamp")
def test_it_opens_with_what_the_person_wrote():
    opening = Opening("3", LABELS, lambda: pytest.fail("it shows no picture"), is_live=True)
    sink = open_output("stage_lamp", opening)
    sink.write("camera 0", result(0, 0.0, n_faces=2))
    assert (sink.where, sink.counts) == ("3", [2])  # type: ignore[attr-defined]


@pytest.mark.usefixtures("lamp")
def test_the_dialog_has_its_card(qtbot):
    switched: dict[str, str | None] = {}

    def switch(name: str, where: str | None) -> str:
        switched[name] = where
        return ""

    dialog = OutputsDialog(
        None, {}, switch=switch, state=lambda _: OutputState(), test=lambda *_: None
    )
    qtbot.addWidget(dialog)
    card = dialog.card("stage_lamp")
    assert (card.check.text(), card.where.text()) == ("Stage lamp", "7")
    assert card.purpose.text() == "For theatres."
    card.check.click()
    assert switched == {"stage_lamp": "7"}


@pytest.mark.usefixtures("lamp")
def test_doctor_says_what_it_lacks():
    findings = examine()
    assert findings["outputs"]["stage_lamp"] == {"ok": False, "detail": "pip install '.[lamp]'"}
    assert "missing: stage_lamp: pip install '.[lamp]'" in report(findings)
    json.dumps(findings)


@pytest.mark.usefixtures("lamp")
def test_the_documentation_would_list_it():
    row = "| `--stage-lamp NUMBER` | the number of faces, as light | `pip install '.[lamp]'` |"
    assert row in as_markdown().splitlines()


def test_the_documentation_lists_every_output():
    """`make tables` writes it anew."""
    assert as_markdown() in DOCUMENTATION.read_text()
    assert "stage_lamp" not in output_kinds()


def test_an_output_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(InputError) as told:
        check_outputs({"plotter": ""})
    assert str(told.value) == (
        "plotter: no such output; there are csv, csv_bom, jsonl, osc, vmc, websocket, lsl, "
        "virtual_camera"
    )


@pytest.mark.usefixtures("lamp")
def test_where_an_output_does_not_open_its_option_is_named(monkeypatch: pytest.MonkeyPatch):
    import fer_live.outputs.stage_lamp as module  # type: ignore[import-not-found]

    class Broken:
        def __init__(self, _: Opening) -> None:
            raise InputError("the bulb is missing")

    monkeypatch.setattr(module, "OUTPUT", replace(module.OUTPUT, open=Broken))
    opening = Opening("3", LABELS, lambda: pytest.fail("it shows no picture"), is_live=True)
    with pytest.raises(InputError, match=r"^--stage-lamp: the bulb is missing$"):
        open_output("stage_lamp", opening)


@pytest.mark.parametrize(
    ("is_there", "extras"),
    [(True, {""}), (False, {"", "osc", "websocket", "lsl", "virtual-camera"})],
)
def test_the_extra_is_named_of_each_output_whose_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, is_there, extras
):
    asked: list[str] = []
    monkeypatch.setattr(registry, "is_installed", lambda name: asked.append(name) or is_there)
    assert {missing_extra(kind) for kind in output_kinds().values()} == extras
    assert set(asked) == {"pythonosc", "websockets", "pylsl", "pyvirtualcam"}
