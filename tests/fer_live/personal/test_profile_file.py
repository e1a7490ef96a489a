"""A model of one's own as one file, taken to another computer."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_live.errors import InputError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.personal.models import SHIPPED, find_model, list_models
from fer_live.personal.profile_file import export_profile, import_profile
from tests.helpers.commands import fails

FILES = {name: asset(name).read_bytes() for name in (CPU_MODEL, GPU_MODEL)}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "models" / "Ada"
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return tmp_path / "home"


def archive_with(file: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_onnx", ".onnx").replace("_json", ".json"), content)
    return file


def test_a_profile_goes_to_another_computer_and_reads_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "Ada.ferprofile"
    export_profile(find_model("Ada"), file)
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "other"))
    assert import_profile(file).name == "Ada"
    with pytest.raises(InputError, match="choose another name"):
        import_profile(file)
    again = import_profile(file, "Ada 2")
    assert [model.name for model in list_models()] == [SHIPPED, "Ada", "Ada 2"]
    assert again.folder is not None
    for name, content in FILES.items():
        assert (again.folder / name).read_bytes() == content
    left = [path.name for path in (tmp_path / "other" / "models").iterdir()]
    assert sorted(left) == ["Ada", "Ada 2"]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"profile_json": b'{"format": 1, "name": "x"}'},
        {"profile_json": b"not json", CPU_MODEL: b"1", GPU_MODEL: b"2"},
        {"profile_json": b'{"format": 2, "name": "x"}', CPU_MODEL: b"1", GPU_MODEL: b"2"},
        {"profile_json": b'{"format": 1, "name": "x"}', CPU_MODEL: b"1", GPU_MODEL: b"2"},
        {"profile_json": b'{"format": 1, "name": "../x"}', **FILES},
        {"profile_json": b'{"format": 1, "name": "shipped"}', **FILES},
    ],
    ids=["empty", "no model", "no json", "newer", "no onnx", "outside", "taken"],
)
def test_what_is_no_profile_changes_nothing(tmp_path: Path, home: Path, files: dict[str, bytes]):
    file = archive_with(tmp_path / "x.ferprofile", **files)
    before = sorted(path for path in tmp_path.rglob("*"))
    with pytest.raises(InputError):
        import_profile(file)
    assert sorted(path for path in tmp_path.rglob("*")) == before


def without_its_end(content: bytes) -> bytes:
    """The last file of the archive claims to be longer than the archive is."""
    sizes = content.rindex(b"PK\1\2") + 20
    return content[:sizes] + b"\xff\xff\xff\1" * 2 + content[sizes + 8 :]


def packed_as(kind: int) -> Callable[[bytes], bytes]:
    """The last file of the archive is said to be packed, and its content is none of such codes."""

    def spoil(content: bytes) -> bytes:
        at = content.rindex(b"PK\1\2") + 10
        return content[:at] + bytes([kind]) + content[at + 1 :]

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [without_its_end, *map(packed_as, (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))],
    ids=["end", "deflate", "bzip2", "lzma"],
)
def test_a_broken_archive_is_no_profile(
    tmp_path: Path, home: Path, spoil: Callable[[bytes], bytes]
):
    file = tmp_path / "x.ferprofile"
    members = {
        "profile.json": b'{"format": 1, "name": "x"}',
        CPU_MODEL: b"1",
        GPU_MODEL: b"\7" * 99,
    }
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(
        InputError, match=r"x\.ferprofile: (no profile of this app|Invalid data stream)$"
    ):
        import_profile(file)
    assert [path.name for path in (home / "models").iterdir()] == ["Ada"]


def test_a_file_that_is_too_large_is_not_unpacked(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("fer_live.personal.profile_file._MAX_BYTES", 1000)
    about = b'{"format": 1, "name": "x"}'
    file = archive_with(tmp_path / "x.ferprofile", profile_json=about, **FILES)
    with pytest.raises(InputError, match="no profile"):
        import_profile(file)


def test_the_command_exports_and_imports(run_cli, tmp_path: Path):
    file = tmp_path / "Ada.ferprofile"
    done = run_cli("fer-live", "models", "export", "Ada", file)
    assert done.returncode == 0, done.stderr
    done = run_cli("fer-live", "models", "import", file, "--name", "Bea")
    assert done.returncode == 0 and "fer-live models use 'Bea'" in done.stdout
    fails(run_cli("fer-live", "models", "export", "shipped", file), 2, "choose one of yours")
    fails(run_cli("fer-live", "models", "export", "Ada", tmp_path / "x.zip"), 2, "unknown kind")
    fails(run_cli("fer-live", "models", "import", tmp_path / "no.ferprofile"), 2, "No such file")
    (tmp_path / "text.ferprofile").write_text("text")
    fails(run_cli("fer-live", "models", "import", tmp_path / "text.ferprofile"), 2, "no profile")
