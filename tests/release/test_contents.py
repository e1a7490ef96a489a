"""What goes into the self-contained app and the wheel."""

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from fer_live.model.assets import CPU_MODEL, GPU_MODEL
from fer_live.sources.choice import DEMO_CLIP
from release.checksums import checksums
from release.contents import EXCLUDED_MODULES, is_carried_along, reason_left_out
from release.debian import PACKAGE, control, lay_out
from release.entry import main as frozen_main
from release.resolves import SYSTEMS
from release.tools import version

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "place",
    [
        "onnxruntime/capi/libonnxruntime_providers_cuda.so",
        "onnxruntime/capi/libonnxruntime_providers_tensorrt.so",
        "cv2/qt/plugins/platforms/libqxcb.so",
        "PyQt6/Qt6/qml/QtQuick/libqtquick2plugin.so",
        "libstdc++.so.6",
        "libEGL.so.1",
        "pandas/tests/test_frame.py",
        "fer_live/assets/fer_live.safetensors",
    ],
)
def test_left_out(place: str):
    assert reason_left_out(place)


def test_what_the_app_opens_is_kept():
    assets = [path for path in (ROOT / "assets").rglob("*") if path.is_file()]
    opened = [p for p in assets if p.suffix not in {".py", ".safetensors"}]
    assert len(opened) > 20
    for path in opened:
        assert not reason_left_out(f"fer_live/assets/{path.relative_to(ROOT / 'assets')}"), path
    for path in (ROOT / "fer_live").rglob("*"):
        if path.suffix in {".html", ".js", ".css", ".mo", ".txt"}:
            assert not reason_left_out(path.relative_to(ROOT).as_posix()), path
    assert not reason_left_out("PyQt6/Qt6/plugins/platforms/libqxcb.so")
    assert not reason_left_out("mediapipe/tasks/c/libmediapipe.so")
    assert not reason_left_out("numpy.libs/libgfortran-040039e1.so.5.0.0")


def test_a_library_is_carried_along_where_only_others_load_it():
    assert is_carried_along("libxcb-cursor.so.0")
    assert is_carried_along("PyQt6/Qt6/lib/libQt6Core.so.6")
    assert not is_carried_along("libpython3.11.so.1.0")
    assert not is_carried_along("PyQt6/QtCore.abi3.so")


def test_nothing_that_the_app_imports_is_excluded():
    app = {
        line.split()[1].partition(".")[0]
        for path in (ROOT / "fer_live").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith(("import ", "from ")) and len(line.split()) > 1
    }
    assert {"onnxruntime", "mediapipe", "pandas"} <= app
    assert app & set(EXCLUDED_MODULES) == set()


def test_the_wheel_has_every_asset_and_nothing_of_the_release(tmp_path: Path):
    wheels = pytest.importorskip("hatchling.builders.wheel", reason="pip install '.[test]'")
    [wheel] = wheels.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    assert Path(wheel).name == f"fer_live-{version()}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        for name in (CPU_MODEL, GPU_MODEL, DEMO_CLIP, "fer-live.metainfo.xml", "icons/play.svg"):
            assert file.read(f"fer_live/assets/{name}") == (ROOT / "assets" / name).read_bytes()
    in_tree = {p.relative_to(ROOT).as_posix() for p in (ROOT / "fer_live").rglob("*.py")}
    assert in_tree <= names
    assert {name.partition("/")[0] for name in names} == {
        *("fer_live", "training", "export"),
        f"fer_live-{version()}.dist-info",
    }


def test_the_package_lays_out_what_a_desktop_reads(tmp_path: Path):
    folder = tmp_path / "folder"
    (folder / "_internal/__pycache__").mkdir(parents=True)
    for name in (PACKAGE, "LICENSE", "_internal/data", "_internal/__pycache__/left.pyc"):
        (folder / name).write_text(name)
    root = tmp_path / "root"
    lay_out(folder, root)
    assert (root / "usr/bin/fer-live").resolve() == root / "usr/lib/fer-live/fer-live"
    found = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}
    assert found == {
        "usr/bin/fer-live",
        "usr/lib/fer-live/fer-live",
        "usr/lib/fer-live/_internal/data",
        "usr/share/applications/fer-live.desktop",
        "usr/share/icons/hicolor/scalable/apps/fer-live.svg",
        "usr/share/metainfo/fer-live.metainfo.xml",
        "usr/share/man/man1/fer-live.1.gz",
        "usr/share/doc/fer-live/copyright",
        "usr/share/doc/fer-live/changelog.gz",
        "usr/share/doc/fer-live/changelog.Debian.gz",
        "usr/share/lintian/overrides/fer-live",
    }
    modes = {p.stat().st_mode & 0o777 for p in root.rglob("*") if p.is_file()}
    assert modes == {0o644, 0o755}


def test_the_control_file_says_who_builds_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEBFULLNAME", "A Builder")
    monkeypatch.setenv("DEBEMAIL", "builder@example.org")
    lines = control("libc6 (>= 2.36)", 1234).splitlines()
    assert f"Version: {version()}-1" in lines
    assert "Maintainer: A Builder <builder@example.org>" in lines
    assert "Depends: libc6 (>= 2.36)" in lines
    assert all(len(line) <= 80 for line in lines)


def test_the_frozen_program_gives_children_their_own_libraries(monkeypatch: pytest.MonkeyPatch):
    import os

    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/bundled")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/usr/local/lib")
    monkeypatch.setattr(sys, "argv", ["fer-live", "--version"])
    with pytest.raises(SystemExit):
        frozen_main()
    assert os.environ["LD_LIBRARY_PATH"] == "/usr/local/lib"
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/bundled")
    with pytest.raises(SystemExit):
        frozen_main()
    assert "LD_LIBRARY_PATH" not in os.environ


def test_checksums_are_those_of_this_release(tmp_path: Path):
    assert checksums(tmp_path, "1.0") == ""
    (tmp_path / "app-1.0.whl").write_bytes(b"new")
    (tmp_path / "app-0.9.whl").write_bytes(b"old")
    assert checksums(tmp_path, "1.0") == f"{hashlib.sha256(b'new').hexdigest()}  app-1.0.whl\n"


def test_the_docs_name_every_system_that_is_checked():
    page = (ROOT / "docs/platforms.md").read_text(encoding="utf-8")
    for system in SYSTEMS:
        assert f"| {system.name} | {'yes' if system.works else 'no'}" in page


def test_the_frozen_programs_own_processes_are_prepared_too(monkeypatch: pytest.MonkeyPatch):
    """`freeze_support` does a process's work and never returns in it."""
    had_output: list[bool] = []

    def work() -> None:
        had_output.append(sys.stdout is not None)
        raise SystemExit(0)

    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("multiprocessing.freeze_support", work)
    with pytest.raises(SystemExit):
        frozen_main()
    assert had_output == [True]
    sys.stdout.close()
