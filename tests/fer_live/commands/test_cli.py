import csv
import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from fer_live.base.console import check_output_file
from fer_live.base.screen import screen_is_there
from fer_live.base.settings import Settings, save_settings
from fer_live.commands.options import wants_signals
from fer_live.errors import InputError
from tests.helpers.commands import fails, interrupt

STATS_KEYS = {
    *("captured", "processed", "painted", "dropped", "faces", "latency_ms", "gui_gap_ms"),
    *("first_overlay_s", "cpu_s", "rss_mb_start", "rss_mb_end", "provider", "detector", "model"),
}


def test_the_window_runs_for_its_time_and_writes_its_figures(run_cli, tmp_path: Path):
    stats = tmp_path / "stats.json"
    done = run_cli("fer-live", "--demo", "--duration", 3, "--stats", stats)
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(stats.read_text())
    assert set(figures) >= STATS_KEYS
    assert figures["captured"] == figures["processed"] + figures["dropped"] + figures["failed"]
    assert figures["processed"] > 30
    assert 0 < figures["painted"] <= figures["processed"]
    assert figures["faces"] >= figures["processed"] * 0.9
    assert (figures["provider"], figures["detector"]) == ("cpu", "short")
    assert figures["latency_ms"]["p95"] >= figures["latency_ms"]["p50"] > 0
    assert figures["gui_gap_ms"]["max"] >= figures["gui_gap_ms"]["p99_9"] > 0


def test_two_sources_run_in_a_window_or_without_and_one_that_fails_is_told(
    run_cli, tmp_path: Path, demo_clip: Path
):
    for how, code in (((), 0), (("--headless",), 0), (("--camera", "93"), 1)):
        rows, stats = tmp_path / "a.csv", tmp_path / "stats.json"
        sources = ("--source", demo_clip, "--source-name", "left", "--demo", *how)
        done = run_cli("fer-live", *sources, "--duration", 3, "--stats", stats, "--csv", rows)
        assert done.returncode == code, done.stderr
        assert ("camera 93: no camera is found" in done.stderr) == (code == 1)
        figures = json.loads(stats.read_text())
        one, other = figures["sources"][:2]
        assert (one["source"], other["source"]) == ("left", "demo")
        assert one["processed"] > 30
        assert other["processed"] > 3, "it may come a second or two later"
        assert figures["captured"] == sum(each["captured"] for each in figures["sources"])
        with rows.open() as file:
            numbers = {(row["source"], row["track_id"]) for row in csv.DictReader(file)}
        assert {("left", "1"), ("demo", "1")} <= numbers


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--camera", "93", "--duration", "2"), "camera 93: no"),
        (("--camera", "-1"), "not a number"),
        (("--camera", "front"), "not a number"),
        (
            ("--stats", "s.json", "analyze", "text.mp4", "--out", "a.csv"),
            "--stats is for the window",
        ),
        (("--camera", "1", "doctor"), "--camera is for the window; doctor takes"),
        (("--model", "a.onnx", "quickstart"), "--model is for the window; quickstart takes"),
        (("--source", ""), "--source is empty"),
        (("analyze", "", "--out", "a.csv"), "a SOURCE is empty"),
        (("--source", "missing.mp4"), "no such file"),
        (("--source", "text.mp4"), "not a video"),
        (("--demo", "--model", "text.mp4"), "not a model"),
        (("--demo", "--model", "missing.onnx"), "no such model"),
        (("--demo", "--camera", "2", "--camera", "2"), "camera 2: a camera can be opened once"),
        (("--demo", "--source", "missing.mp4"), "no such file"),
        (("--demo", "--source-name", "a", "--source-name", "b"), "given 2 times for 1 sources"),
        (("--headless", "--demo"), "add one of --csv"),
        (("--headless", "--demo", "--csv", "none/a.csv"), "does not exist"),
        (("--headless", "--camera", "93", "--csv", "a.csv"), "camera 93: no camera is found"),
        (("--headless", "doctor"), "--headless is for the window"),
        (("--demo", "--duration", "0"), "not a number above 0"),
        (("--demo", "--stats", "missing/stats.json"), "does not exist"),
        (("--source", "http://127.0.0.1:9/none", "--duration", "1"), "no stream there"),
        (("dance",), "invalid choice"),
    ],
)
def test_a_mistake_is_one_line(run_cli, tmp_path: Path, monkeypatch, options, says: str):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("hello")
    fails(run_cli("fer-live", *options), 2, says)


def test_a_missing_system_library_is_one_line(monkeypatch, capsys):
    """An import that fails for want of a library names the packages, not a traceback."""
    from fer_live.base import console, system_libraries

    packages = {"libnothere.so.1": "libnothere1"}
    monkeypatch.setattr(system_libraries, "packages", lambda **_: packages)

    def broken() -> int:
        raise ImportError("libnothere.so.1: cannot open shared object file")

    with pytest.raises(SystemExit) as ended:
        console.run_command("fer-live", broken)
    assert ended.value.code == 2
    assert "sudo apt-get install -y libnothere1" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("command", ["fer_live doctor", "training.cli config"])
def test_a_full_disk_is_one_line(command: str):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", *command.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith("output: No space left on device")


def test_a_write_protected_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "mine.csv"
    file.write_text("kept")
    file.chmod(0o444)
    if os.access(file, os.W_OK):  # root may write everything, and so os.access says yes
        monkeypatch.setattr(os, "access", lambda path, mode: path != file)
    with pytest.raises(InputError, match=r"mine\.csv: is write-protected"):
        check_output_file(file, (".csv",))


def test_without_a_screen_the_window_is_refused_in_one_line(run_cli):
    done = run_cli("fer-live", "--demo", QT_QPA_PLATFORM="", DISPLAY="", WAYLAND_DISPLAY="")
    fails(done, 2, "no screen here", "fer-live analyze")


def test_a_display_that_does_not_answer_is_no_screen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":93")
    assert not screen_is_there()


QUICKSTART = """
import sys
from fer_live.commands import cli
from fer_live.sources import choice
choice.DEMO_CLIP = "demo.mp4"  # a shorter one
sys.argv = ["fer-live", "quickstart"]
cli.main()
"""


def test_quickstart_without_a_screen_writes_a_video_and_says_where(tmp_path: Path):
    no_screen = dict.fromkeys(("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"), "")
    places = {"FER_LIVE_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", QUICKSTART],
        env=os.environ | no_screen | places,
        capture_output=True,
        text=True,
    )
    video = tmp_path / "home" / "demo-annotated.mp4"
    assert (done.returncode, done.stderr) == (0, "")
    assert str(video) in done.stdout
    assert video.stat().st_size > 100_000


def test_ctrl_c_ends_the_window_cleanly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    save_settings(Settings(notice_accepted_on="2026-11-25"))
    partial = tmp_path / "a.partial.csv"
    done = interrupt(
        ["--demo", "--stats", "stats.json", "--csv", "a.csv"],
        tmp_path,
        lambda: partial.is_file() and partial.stat().st_size > 5_000,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "stats.json").is_file()
    assert (tmp_path / "a.csv").is_file()


@pytest.mark.parametrize(
    ("what", "code", "last_line"),
    [
        ("signal.raise_signal(signal.SIGINT)", 0, ""),
        ("raise KeyError('bug')", 1, "fer-live: stopped by an internal error: KeyError: 'bug'"),
    ],
)
def test_the_window_ends_cleanly_in_the_middle_of_painting(
    what: str, code: int, last_line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path))
    save_settings(Settings(notice_accepted_on="2026-11-25"))
    program = f"""
import signal, sys
from fer_live.window.widgets.video_view import VideoView
from fer_live.commands.cli import main

def paint(self, event):
    {what}

VideoView.paintEvent = paint
sys.argv = ["fer-live", "--demo"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code
    assert "QBackingStore" not in done.stderr
    assert done.stderr.strip().splitlines()[-1:] == ([last_line] if last_line else [])


def test_doctor_reads_the_demo_for_real(run_cli):
    done = run_cli("fer-live", "doctor", "--json")
    findings = json.loads(done.stdout)
    assert (done.returncode, findings["ok"]) == (0, True)
    assert "fer_live_int8.onnx on cpu" in findings["pipeline"]["detail"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, False),
        ({"signals": True}, True),
        ({"osc": "127.0.0.1:9000"}, False),
        ({"vmc": "127.0.0.1:39539"}, True),
    ],
)
def test_signals_are_on_where_they_or_what_needs_them_is_asked_for(given, wanted: bool):
    assert wants_signals(Namespace(**given)) is wanted


def test_the_app_imports_neither_torch_nor_onnx():
    code = (
        "import sys; import fer_live.vision.pipeline, fer_live.window.app, fer_live.analyze.run; "
        "import fer_live.commands.doctor; "
        "bad = [m for m in ('torch', 'onnx', 'training', 'export') if m in sys.modules]; "
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
