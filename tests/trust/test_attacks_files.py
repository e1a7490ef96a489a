"""Names, links and rights: nothing is written, read or deleted outside of the app's folders."""

import os
import stat
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from fer_live.base.atomic_file import link_target, partial_path, write_atomically
from fer_live.base.home import home as home_folder
from fer_live.base.home import made
from fer_live.base.settings import Settings, load_settings, save_settings
from fer_live.errors import FerLiveError, InputError, ModelError, OutputError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.personal.clips import clips_folder, list_clips, takes_folder
from fer_live.personal.forget import forget_person, models_learnt_from, settings_without
from fer_live.personal.model_folder import write_model_folder
from fer_live.personal.models import (
    check_name,
    find_model,
    list_models,
    remove_model,
)
from fer_live.personal.own_expressions import (
    add_own_expression,
    check_own_name,
    own_expressions,
    remove_own_expression,
)
from fer_live.recording.recorder import About, Recorder, Recording, new_folder, recordings_folder
from fer_live.recording.shelf import renamed, shelf
from fer_live.vision import classifier as classifier_module
from tests.helpers.results import LABELS, result

HOSTILE_NAMES = [
    "../../escaped",
    "/escaped",
    "..",
    "..\\escaped",
    "a\0b",
    "a\nb",
    "CON",
    "com1",
    "con.x",
    "COM1.foo",
    "ends.",
    "ends ",
    "x" * 400,
    " ",
    "",
    "~root",
    "$(id)",
    "-rf",
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def about(name: str = "") -> About:
    began_at = datetime(2026, 11, 25, 14, 3, 22)
    return About(
        labels=LABELS, model="m", source="s", began_at=began_at, with_overlay=False, name=name
    )


def recorded(folder: Path, called: str = "") -> Recording:
    recorder = Recorder(folder, about(), called=called)
    recorder.write("s", result(0, 0.0))
    recorder.close()
    return Recording.open(recorder.folder)


def files_outside(tmp_path: Path, home: Path) -> set[Path]:
    return {path for path in tmp_path.rglob("*") if home not in (path, *path.parents)}


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_no_name_leads_out_of_the_apps_folders(tmp_path: Path, home: Path, name: str):
    """Of a source in a recording's folder, a recording, an expression, a person."""
    before = files_outside(tmp_path, home)
    folder = new_folder(recordings_folder(), datetime(2026, 11, 25), name[:60])
    assert folder.parent == recordings_folder() and folder.is_dir()
    folder.rmdir()
    recording = renamed(recorded(recordings_folder()), name)
    assert recording.folder.parent == recordings_folder()
    assert "\n" not in recording.about.name and len(recording.about.name) <= 200
    with pytest.raises(InputError) as caught:
        add_own_expression(name)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises((ValueError, InputError)):
        check_name(Settings(person=name).person)
    assert models_learnt_from(name) == []
    assert files_outside(tmp_path, home) == before


def test_a_name_that_is_fine_is_taken():
    assert check_own_name("찡긋") == "찡긋"
    assert Settings(person="Ada Lovelace-2").person == "Ada Lovelace-2"


@pytest.fixture
def treasure(tmp_path: Path) -> Path:
    """What must be there afterwards, whatever leads to it."""
    folder = tmp_path / "treasure"
    folder.mkdir()
    recorded(folder / "recordings")
    for variant in (CPU_MODEL, GPU_MODEL):
        (folder / variant).write_bytes(asset(variant).read_bytes())
    return folder


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_deleting_follows_no_link(home: Path, treasure: Path):
    before = bytes_in(treasure)
    target = next((treasure / "recordings").iterdir())
    for parent in (recordings_folder(), clips_folder(), takes_folder() / "neutral"):
        made(parent)
        (parent / "linked").symlink_to(target)
    (entry,) = shelf(recordings_folder())
    for delete in (entry.delete, Recording.open(entry.folder).delete, list_clips()[0].delete):
        with pytest.raises(OutputError, match="is a link"):
            delete()
    made(home / "models")
    (home / "models" / "Ada").symlink_to(treasure)
    with pytest.raises(OutputError, match="is a link"):
        remove_model(find_model("Ada"))
    with pytest.raises(OutputError, match="is a link"):
        write_model_folder(home / "models" / "Ada", {CPU_MODEL: b"x"})
    with pytest.raises(OutputError, match="is a link"):
        forget_person("Ada")
    (home / "retraining").symlink_to(treasure)
    with pytest.raises(OutputError, match="is a link"):
        forget_person("me")
    assert bytes_in(treasure) == before


def test_a_link_inside_of_what_is_deleted_goes_and_its_target_stays(home: Path, treasure: Path):
    before = bytes_in(treasure)
    recording = recorded(recordings_folder())
    (recording.folder / "link").symlink_to(treasure)
    recording.delete()
    name = add_own_expression("wink")
    (takes_folder() / name / "link").symlink_to(treasure)
    remove_own_expression(name)
    clip = recorded(clips_folder())
    (clip.folder / "link").symlink_to(treasure)
    forget_person("me")
    assert own_expressions() == () and list_clips() == []
    assert bytes_in(treasure) == before


def test_a_persons_folder_that_is_a_link_is_told_before_anything_is_deleted(
    home: Path, treasure: Path
):
    """Else the clips behind it would stay, and the app would say that nothing is left."""
    recorded(takes_folder() / "neutral")
    clips_folder().symlink_to(treasure / "recordings")
    before = bytes_in(home), bytes_in(treasure)
    with pytest.raises(OutputError, match=r"clips: is a link; nothing behind it is deleted"):
        forget_person("me")
    assert (bytes_in(home), bytes_in(treasure)) == before


def test_a_link_that_waits_for_a_file_is_not_written_through(tmp_path: Path):
    """It lies where the file will grow, and leads to a file that is not there yet."""
    goal = tmp_path / "somebody's" / "goal"
    goal.parent.mkdir()
    path = tmp_path / "a.csv"
    (tmp_path / "a.partial.csv").symlink_to(goal)
    write_atomically(path, b"1", is_private=True)
    assert path.read_bytes() == b"1" and not path.is_symlink()
    place = partial_path(path)
    assert place.name == "a.partial-2.csv" and not place.is_symlink()
    assert not goal.exists()


def test_a_link_that_comes_between_a_look_and_a_write_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The race: another process lays it once the name was found to be free."""
    goal, path = tmp_path / "goal", tmp_path / "a.json"
    real_open, n_laid = os.open, 0

    def open_after_the_attacker(place, flags, mode=0o777, **more):  # type: ignore[no-untyped-def]
        nonlocal n_laid
        if "partial" in str(place) and flags & os.O_CREAT and n_laid < 3:
            n_laid += 1
            Path(place).symlink_to(goal)
        return real_open(place, flags, mode, **more)

    monkeypatch.setattr(os, "open", open_after_the_attacker)
    write_atomically(path, b"mine")
    assert (path.read_bytes(), n_laid) == (b"mine", 3)
    assert not goal.exists()


def test_a_link_of_another_user_in_a_shared_folder_is_refused(tmp_path: Path):
    """They would choose which file of this person is replaced."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a link to another user")
    shared, goal = tmp_path / "shared", tmp_path / "goal"
    shared.mkdir()
    shared.chmod(0o1777)
    goal.write_text("precious")
    link = shared / "a.csv"
    link.symlink_to(goal)
    assert link_target(link) == goal, "one's own link is followed"
    os.lchown(link, 12345, 12345)
    with pytest.raises(InputError, match="is a link of another user"):
        write_atomically(link, b"x")
    assert goal.read_text() == "precious"


def test_what_is_kept_is_its_owners_alone(home: Path, monkeypatch: pytest.MonkeyPatch):
    """Whatever the umask says; the names of folders tell who was recorded, so they too."""
    before = os.umask(0)
    try:
        save_settings(Settings(person="Ada"))
        (home / "settings.json").write_text("{")
        (home / "settings.json").chmod(0o666)
        load_settings()
        save_settings(Settings(person="Ada"))
        recorded(recordings_folder())
        recorded(clips_folder("Ada"))
        add_own_expression("wink", person="Ada")
        write_model_folder(home / "models" / "Ada", {CPU_MODEL: b"x"})
        made(home / "cache")
    finally:
        os.umask(before)
    others = {
        str(path.relative_to(home)): stat.filemode(path.stat().st_mode)
        for path in (home, *home.rglob("*"))
        if path.stat().st_mode & 0o077
    }
    assert others == {}
    assert home_folder() == home


def test_forgetting_takes_what_was_left_half_done_and_what_was_made_of_the_models(home: Path):
    folder = made(home / "models") / "Ada"
    write_model_folder(folder, {v: asset(v).read_bytes() for v in (CPU_MODEL, GPU_MODEL)})
    engines = made(home / "cache" / "tensorrt")
    prefix = classifier_module._engine_prefix(folder / GPU_MODEL)
    (engines / f"{prefix}_sm80.engine").write_bytes(b"weights")
    (engines / "another_sm80.engine").write_bytes(b"weights")
    made(home / "models" / ".unfinished-killed")
    (home / "settings.json").write_text("{ Ada")
    load_settings()
    settings = Settings(
        person="Ada", model=str(folder), recent_locations=("a",), recent_markers=("b",)
    )
    left = settings.but(**settings_without("Ada", settings))
    assert (left.person, left.model, left.recent_locations, left.recent_markers) == (
        *("me", None),
        *((), ()),
    )
    forget_person("Ada")
    assert [model.name for model in list_models()] == ["shipped"]
    assert [path.name for path in engines.iterdir()] == ["another_sm80.engine"]
    files = sorted(path.name for path in home.rglob("*") if path.is_file())
    assert files == [".settings.json.lock", "another_sm80.engine"], "the lock is empty"


def test_a_retrained_model_is_found_by_whose_it_is(monkeypatch: pytest.MonkeyPatch, home: Path):
    """A retraining names the person in the manifest; older ones have named nobody. One variant is
    enough to tell."""
    told = {"a": {"name": "Ada"}, "b": {"name": ""}, "c": {}, "d": None, "half": {"name": "Ada"}}

    def opened(file: Path) -> object:
        if file == home / "models" / "half" / CPU_MODEL:
            raise ModelError("truncated")
        name = file.parent.name
        training = {"personalized": told[name]} if told[name] is not None else {}
        return SimpleNamespace(manifest=SimpleNamespace(training=training))

    monkeypatch.setattr("fer_live.personal.models._open", opened)
    for name in told:
        made(home / "models" / name)
    assert [model.name for model in models_learnt_from("Ada")] == ["a", "half"]
    assert [model.name for model in models_learnt_from("me")] == ["b", "c"]


def test_errors_of_this_room_are_one_line(home: Path):
    made(home / "recordings")
    (home / "recordings" / "x").symlink_to(home / "recordings" / "x")
    assert shelf(recordings_folder()) == []
    with pytest.raises(FerLiveError) as caught:
        link_target(home / "recordings" / "x")
    assert len(str(caught.value).splitlines()) == 1
