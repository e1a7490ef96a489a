"""The names of one's own expressions, and the folders of their takes."""

import unicodedata
from datetime import datetime
from pathlib import Path

import pytest

from fer_live.errors import DataError, InputError
from fer_live.model.manifest import EXPRESSIONS
from fer_live.personal.clips import takes_folder
from fer_live.personal.own_expressions import (
    MAX_OWN_EXPRESSIONS,
    add_own_expression,
    check_own_name,
    own_expressions,
    remove_own_expression,
)
from fer_live.personal.takes import TakeStep, keep_take, label_folders, unreviewed_folder
from fer_live.recording.recorder import About, Recording


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize(
    "name", ["wink left", "concentrating", "so-so 2", "집중", "सोच", "Ärger", "x"]
)
def test_words_of_every_script_are_names(name: str):
    assert check_own_name(name) == unicodedata.normalize("NFC", name)
    assert check_own_name(unicodedata.normalize("NFD", name)) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "wink ", " wink", "wink  left", "-wink", "wink-", "2", "1e5", "wink_left"),
        *("a/b", "a\\b", "..", ".own", "wink.left", "a,b", 'a"b', "=1+1", "@x", "a\nb", "a\tb"),
        *("<b>x</b>", "{x}", "p*", "w?", "#w", "😉", "x" * 31),
        *("anger", "Anger", "NEUTRAL", "unsure", "NaN", "none", "CON", "lpt1"),
    ],
)
def test_what_a_folder_column_address_or_table_would_stumble_over_is_refused(name: str):
    with pytest.raises(InputError) as caught:
        check_own_name(name)
    assert "\n" not in str(caught.value)


def test_they_are_added_listed_and_removed():
    assert own_expressions() == ()
    with pytest.raises(InputError, match="no expression of your own; there are: -"):
        remove_own_expression("wink left")
    assert add_own_expression(unicodedata.normalize("NFD", "wínk left")) == "wínk left"
    add_own_expression("concentrating")
    assert own_expressions() == ("concentrating", "wínk left")
    for again in ("concentrating", "Concentrating", "surprise"):
        with pytest.raises(InputError, match="is an expression already"):
            add_own_expression(again)
    take = takes_folder() / "wínk left" / "2026-11-25 14.03.22 take 1"
    take.mkdir()
    (take / "video.mkv").write_bytes(b"x")
    remove_own_expression("wínk left")
    assert own_expressions() == ("concentrating",)
    assert [path.name for path in takes_folder().iterdir()] == ["concentrating"]


def test_there_are_as_many_as_colours():
    for number in range(MAX_OWN_EXPRESSIONS):
        add_own_expression(f"look {number}")
    with pytest.raises(InputError, match="8 expressions of your own already"):
        add_own_expression("one more")
    assert len(own_expressions()) == MAX_OWN_EXPRESSIONS


def test_takes_of_the_eight_and_of_other_models_are_none_of_them():
    for name in ("neutral", "joy"):
        (takes_folder() / name).mkdir(parents=True)
    assert own_expressions() == ()
    with pytest.raises(InputError, match="no expression of your own"):
        remove_own_expression("neutral")
    assert (takes_folder() / "neutral").is_dir()


def test_a_kept_take_of_one_that_the_model_knows_registers_it():
    """As after its folder was deleted by hand, or with a model that came from elsewhere."""
    for label, own in (("wink left", ("wink left",)), ("joy", ())):
        folder = unreviewed_folder() / f"a {label}"
        folder.mkdir(parents=True)
        about = About(
            labels=("neutral", label),
            own_labels=own,
            model="m",
            source="guided session",
            began_at=datetime(2026, 11, 26),
            with_overlay=False,
        )
        (folder / "video.mkv").touch()
        (folder / "recording.json").write_text(about.model_dump_json())
        keep_take(Recording.open(folder), TakeStep(label, 1))
    assert own_expressions() == ("wink left",)


def test_a_model_without_them_leaves_their_folders_out():
    add_own_expression("wink left")
    with pytest.raises(DataError, match="no folder of a label"):
        label_folders(takes_folder(), EXPRESSIONS)
    (takes_folder() / "neutral").mkdir()
    assert [path.name for path in label_folders(takes_folder(), EXPRESSIONS)] == ["neutral"]
    both = label_folders(takes_folder(), (*EXPRESSIONS, "wink left"))
    assert [path.name for path in both] == ["neutral", "wink left"]
    (takes_folder() / "joy").mkdir()
    with pytest.raises(DataError, match="joy is no label of this model"):
        label_folders(takes_folder(), EXPRESSIONS)
