"""What is deleted is gone: after kills, with rights taken away, with spoilt files and odd names."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

import pytest

from fer_live.base.home import made
from fer_live.base.settings import Settings, load_settings, save_settings
from fer_live.commands import cli
from fer_live.errors import InputError, OutputError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.personal.clips import clip_folders, clips_folder, name_of, takes_folder
from fer_live.personal.forget import forget_person
from fer_live.personal.models import InstalledModel, lies_in, list_own_folders
from fer_live.personal.own_expressions import add_own_expression, remove_own_expression
from fer_live.recording.recorder import ABOUT_FILE, VIDEO_FILE, About, Recorder, recordings_folder
from tests.helpers.results import LABELS, result

PERSON = "Adaxyz"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    # Of two models, one bears another name; what a manifest says is tried in test_attacks_files.
    monkeypatch.setattr(
        InstalledModel,
        "learnt_from",
        lambda model: {"personal-1": PERSON, "spoilt": None}.get(model.name, ""),
    )
    return tmp_path / "home"


def recorded(folder: Path) -> Path:
    began_at = datetime(2026, 11, 25, 14, 3, 22)
    about = About(labels=LABELS, model="m", source="s", began_at=began_at, with_overlay=False)
    recorder = Recorder(folder, about)
    recorder.write("s", result(0, 0.0))
    recorder.close()
    return recorder.folder


def fill(home: Path) -> None:
    """A person with all that there can be of them, and somebody else with a clip and a model."""
    for name in (PERSON, "personal-1", "Bob"):
        folder = made(home / "models" / name)
        (folder / CPU_MODEL).write_bytes(name.encode())
        (folder / GPU_MODEL).write_bytes(name.encode())
    save_settings(Settings(person=PERSON, model=str(home / "models" / PERSON)))
    recorded(clips_folder(PERSON))
    recorded(takes_folder(PERSON) / "neutral")
    recorded(takes_folder(PERSON) / ".unreviewed")
    add_own_expression("wink", person=PERSON)
    for name in ("retraining/2026", f"calibrated/{PERSON}"):
        (made(home / name) / CPU_MODEL).write_bytes(PERSON.encode())
    recorded(clips_folder("Bob"))


def run(*arguments: str) -> int:
    """A command of `fer-live` in this process; its exit status."""
    with patch.object(sys, "argv", ["fer-live", *arguments]):
        try:
            return cli.main() or 0
        except SystemExit as ended:
            return int(ended.code or 0)


def left_of(home: Path) -> list[str]:
    """Where the person's name or a video of theirs is left."""
    found = []
    for path in home.rglob("*"):
        told = str(path.relative_to(home))
        content = path.read_bytes() if path.is_file() else b""
        if PERSON in told or PERSON.encode() in content:
            found.append(told)
    return found


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


class KilledError(BaseException):
    """No code of the app catches it, as none runs after a kill."""


def killed_at(number: int, do: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Run something that dies before its `number`-th change of the disk; whether it did."""
    count = itertools.count(1)
    with monkeypatch.context() as patches:
        for name in ("unlink", "remove", "rmdir", "rename", "replace"):
            real = getattr(os, name)

            def counted(*where, real=real, **more):  # type: ignore[no-untyped-def]
                if next(count) >= number:
                    raise KilledError
                return real(*where, **more)

            patches.setattr(os, name, counted)
        try:
            do()
        except KilledError:
            return True
    return False


COMMANDS = {
    "everything": (["clips", "delete", "--everything", PERSON], lambda home: left_of(home)),
    "all": (["clips", "delete", "--all"], lambda home: list(home.rglob(VIDEO_FILE))),
    "one": (
        ["clips", "delete", f"{PERSON}: 2026-11-25 14.03.22"],
        lambda home: [*clips_folder(PERSON).iterdir(), *home.glob("retraining")],
    ),
    "model": (
        ["models", "remove", PERSON],
        lambda home: [p for p in (home / "models").iterdir() if p.name.endswith(PERSON)],
    ),
}


@pytest.mark.parametrize("which", COMMANDS)
def test_a_deletion_that_was_killed_is_finished_by_the_same_command(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], which: str
):
    """Killed before each change that it makes to the disk, one after the other."""
    command, left = COMMANDS[which]
    fill(home)
    shutil.copytree(home, whole := home.with_name("whole"))
    for number in itertools.count(1):
        shutil.rmtree(home)
        shutil.copytree(whole, home)
        was_killed = killed_at(number, lambda: run(*command), monkeypatch)
        if was_killed:
            assert run(*command) == 0, (number, capsys.readouterr().err)
        assert left(home) == [], number
        assert (home / "models" / "Bob" / CPU_MODEL).is_file()
        if not was_killed:
            break
    assert number > 3, "it was killed at several places"


def test_an_own_expression_whose_removal_was_killed_is_removed_by_the_next(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    for number in itertools.count(1):
        add_own_expression("wink")
        recorded(takes_folder() / "wink")
        was_killed = killed_at(number, lambda: remove_own_expression("wink"), monkeypatch)
        if not was_killed:
            break
        if any(takes_folder().iterdir()):
            remove_own_expression("wink")
        assert not [*takes_folder().glob("*")], number
    assert number > 3


def test_a_model_that_was_made_anew_is_removed_beside_what_a_kill_left(home: Path):
    fill(home)
    stale = made(home / "models" / f".unfinished-{PERSON}")
    (stale / CPU_MODEL).write_bytes(b"half")
    assert run("models", "remove", PERSON) == 0
    assert not stale.exists()
    assert [model.name for model in list_own_folders()] == ["Bob", "personal-1"]


@pytest.mark.parametrize(
    "spelt",
    [
        f"{{home}}/models/{PERSON}",
        f"{{home}}/models/{PERSON}/{CPU_MODEL}",
        f"{{home}}/calibrated/{PERSON}/{CPU_MODEL}",
        f"{{home}}/../home/models/./{PERSON}",
        "{home}/models/personal-1/x.onnx",
        PERSON,
    ],
)
def test_no_spelling_of_a_model_keeps_a_name_in_the_settings(home: Path, spelt: str):
    fill(home)
    save_settings(Settings(person=PERSON, model=spelt.format(home=home)))
    assert run("clips", "delete", "--everything", PERSON) == 0
    assert load_settings()[0].model is None
    assert left_of(home) == []


def test_a_model_of_somebody_else_stays_in_use(home: Path):
    fill(home)
    theirs = str(home / "models" / "Bob")
    save_settings(Settings(person=PERSON, model=theirs))
    assert run("clips", "delete", "--everything", PERSON) == 0
    assert load_settings()[0].model == theirs
    assert not lies_in("a\0b", [home]) and not lies_in("x" * 5000, [home / "calibrated"])
    assert clip_folders("Bob") != []


def test_what_kills_left_of_settings_and_notes_goes(home: Path):
    """A write of a moment ago, one behind a gap in the numbers, and notes of what grew."""
    fill(home)
    for name in ("settings.partial.json", "settings.partial-3.json", "settings.unusable-2.json"):
        (home / name).write_text(PERSON)
    notes = made(home / "unfinished")
    gone, alive = {"pid": 2**22 + 1, "process_began_s": 1.0}, _this_process()
    clip = str(clips_folder(PERSON) / "2026")
    elsewhere = str(home / "recordings" / "now")
    for name, note in {
        "dead": {"path": f"/x/{PERSON}.csv", **gone},
        "hers": {"path": clip, **alive},
        "other": {"path": elsewhere, **alive},
    }.items():
        (notes / f"{name}.json").write_text(json.dumps(note))
    (notes / "cut.partial.json").write_text('{"path": "' + PERSON)
    assert run("clips", "delete", "--everything", PERSON) == 0
    assert left_of(home) == []
    assert [note.name for note in notes.iterdir()] == ["other.json"], "it is being written"


def _this_process() -> dict[str, object]:
    import psutil

    return {"pid": os.getpid(), "process_began_s": psutil.Process().create_time()}


def test_a_model_that_cannot_be_read_is_told_and_can_be_removed(
    home: Path, capsys: pytest.CaptureFixture[str]
):
    """It may be theirs or somebody else's, so it is neither deleted nor passed over."""
    fill(home)
    (made(home / "models" / "spoilt") / GPU_MODEL).write_bytes(b"spoilt")
    assert run("clips", "delete", "--everything", PERSON) == 1
    assert left_of(home) == []
    assert "spoilt: this model cannot be read" in capsys.readouterr().err
    assert run("models", "remove", "spoilt") == 0
    assert [model.name for model in list_own_folders()] == ["Bob"]


def test_all_clips_are_those_that_cannot_be_read_too(
    home: Path, capsys: pytest.CaptureFixture[str]
):
    """A kill cuts off what a clip says of itself; its video has a face in it all the same."""
    fill(home)
    (clip,) = clip_folders("Bob")
    (clip / ABOUT_FILE).write_text("{")
    (clips_folder(PERSON) / "2026-11-25 14.03.22" / ABOUT_FILE).unlink()
    assert run("clips", "list") == 0
    assert f"{name_of(clip)}: cannot be read" in capsys.readouterr().err
    assert run("clips", "delete", name_of(clip)) == 0
    assert not clip.exists()
    assert run("clips", "delete", "--all") == 0
    assert list(home.rglob(VIDEO_FILE)) == []
    assert capsys.readouterr().err.endswith("2 deleted, 0 left\n")


@pytest.mark.parametrize(
    "link",
    [
        "persons",
        "models",
        "retraining",
        "calibrated",
        "models/.unfinished-q",
        f"persons/{PERSON}",
        "unfinished",
    ],
)
def test_a_link_above_or_among_what_goes_is_told_before_anything_is_deleted(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], link: str
):
    fill(home)
    made(home / "models" / ".unfinished-q")
    (made(home / "unfinished") / "somebody's.json").write_text("{}")
    shutil.move(home / link, outside := tmp_path / "outside")
    (home / link).symlink_to(outside)
    before = contents(home), contents(outside)
    assert run("clips", "delete", "--everything", PERSON) == 1
    said = capsys.readouterr().err
    assert "link" in said and len(said.splitlines()) == 1
    assert (contents(home), contents(outside)) == before
    with pytest.raises(OutputError, match="link"):
        forget_person(PERSON)
    assert (contents(home), contents(outside)) == before


def test_all_clips_behind_a_link_are_told_before_anything_is_deleted(home: Path, tmp_path: Path):
    fill(home)
    shutil.move(home / "persons", outside := tmp_path / "outside")
    (home / "persons").symlink_to(outside)
    before = contents(home), contents(outside)
    assert run("clips", "delete", "--all") == 1
    assert (contents(home), contents(outside)) == before


def test_the_folder_of_the_app_may_be_a_link_itself(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fill(home)
    (tmp_path / "linked").symlink_to(home)
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "linked"))
    assert run("clips", "delete", "--everything", PERSON) == 0
    assert left_of(home) == []


@pytest.mark.parametrize("name", ["../x", "x/../x", f"{PERSON}/../{PERSON}", ".x", "a\0b"])
def test_no_name_of_a_person_leads_out_when_everything_is_deleted(home: Path, name: str):
    fill(home)
    recorded(home / "x" / "clips")
    recorded(home / "persons" / ".x" / "clips")
    before = contents(home)
    if "\0" not in name:
        assert run("clips", "delete", "--everything", name) == 2
    assert forget_person(name).n_clips == 0
    assert contents(home) == before


@pytest.mark.parametrize("name", ["../x", "q/../../x", "a\0b"])
def test_no_name_leads_out_to_what_a_removal_seems_to_have_left(home: Path, name: str):
    made(home / "models" / ".unfinished-q")
    made(takes_folder() / ".going-q")
    recorded(home / "x")
    before = contents(home)
    if "\0" not in name:
        assert run("models", "remove", name) == 2
    with pytest.raises(InputError):
        remove_own_expression(name)
    assert contents(home) == before


def test_recordings_stay(home: Path):
    fill(home)
    kept = recorded(recordings_folder())
    assert run("clips", "delete", "--everything", PERSON) == 0
    assert (kept / VIDEO_FILE).is_file()


_AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.mark.parametrize(
    ("what", "mode"),
    [
        (".", 0o500),
        ("persons", 0o500),
        (f"persons/{PERSON}", 0o500),
        (f"persons/{PERSON}/takes", 0o500),
        (f"persons/{PERSON}/clips/*", 0o500),
        (f"persons/{PERSON}/clips/*", 0),
        (f"persons/{PERSON}/clips/*/*", 0),
        ("models", 0o500),
        (f"models/{PERSON}", 0o500),
        (f"models/{PERSON}", 0),
        ("calibrated", 0o500),
        ("calibrated/*/*", 0),
    ],
)
def test_what_was_made_read_only_is_deleted_all_the_same(home: Path, what: str, mode: int):
    """In a process that the rights hold for: they do not for root, which tests may run as."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere")
    if sys.platform == "win32":
        pytest.skip("Windows knows read-only files, and no such folders")
    fill(home)
    shutil.rmtree(home / "models" / "personal-1")
    shutil.rmtree(home / "models" / "Bob")
    for path in list(home.glob(what)) if what != "." else [home]:
        path.chmod(mode)
    command = [sys.executable, "-m", "fer_live", "clips", "delete", "--everything", PERSON]
    done = subprocess.run(
        [*(_AS_ANYBODY if os.geteuid() == 0 else []), *command],
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"deleted 2 clips and takes of {PERSON}, and {PERSON}\n"
    assert left_of(home) == []


def test_what_cannot_be_deleted_is_told_and_the_rest_goes(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """A file that the system holds; all else is deleted, and the next run finds the person."""
    fill(home)
    real = os.unlink

    def unlink(path, **more):  # type: ignore[no-untyped-def]
        if Path(path).name == VIDEO_FILE:
            raise PermissionError(1, "Operation not permitted")
        real(path, **more)

    with monkeypatch.context() as patches:
        patches.setattr(os, "unlink", unlink)
        assert run("clips", "delete", "--everything", PERSON) == 1
    assert "clips: cannot be deleted: no permission" in capsys.readouterr().err
    left = [Path(path).name for path in left_of(home) if (home / path).is_file()]
    assert left == [VIDEO_FILE] * 3
    assert run("clips", "delete", "--everything", PERSON) == 0
    assert left_of(home) == []


def test_a_spoilt_asset_is_no_model_of_anybody(home: Path, monkeypatch: pytest.MonkeyPatch):
    """As the files of a model are truncated, one by one, it is told as long as one can be read."""
    monkeypatch.undo()
    monkeypatch.setenv("FER_LIVE_HOME", str(home))
    folder = made(home / "models" / "x")
    for variant in (CPU_MODEL, GPU_MODEL):
        (folder / variant).write_bytes(asset(variant).read_bytes())
    told = [InstalledModel("x", folder).learnt_from()]
    for variant in (CPU_MODEL, GPU_MODEL):
        (folder / variant).write_bytes(asset(variant).read_bytes()[:1000])
        told.append(InstalledModel("x", folder).learnt_from())
    assert told == ["", "", None]
