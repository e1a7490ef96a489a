"""Every writer of the app on a disk that is full or read-only, in a process of its own.

python -m tests.trust.chaos.writers WRITER MOUNTED NUMBER full|read_only

MOUNTED is a small file system of its own. The disk is full after a random number of bytes of what
the writer needs; then there is room again. Prints the troubles as JSON.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from fer_live.base.settings import SETTINGS_FILE, change_settings, load_settings
from fer_live.datatypes import FrameResult, Marker
from fer_live.errors import FerLiveError
from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL, asset
from fer_live.outputs.files import open_file_sink
from fer_live.outputs.sink import ResultSink
from fer_live.recording.recorder import About, Recorder, Recording
from tests.helpers.results import LABELS
from tests.helpers.results import result as made_up
from tests.trust.chaos import whole

_PAGE = 4096
_N_RESULTS = 400


@dataclass(frozen=True)
class Disk:
    """A file system that can be filled and made read-only."""

    mounted: Path

    def fill(self, but_bytes: int) -> None:
        """Leave so much room."""
        size = os.statvfs(self.mounted)
        n = max(size.f_bavail * size.f_frsize - but_bytes, 0)
        with (self.mounted / "ballast").open("ab") as file, suppress(OSError):
            file.write(bytes(n))

    def make_room(self) -> None:
        (self.mounted / "ballast").unlink(missing_ok=True)

    def remount(self, mode: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.mounted)], check=True)


def results() -> Iterator[FrameResult]:
    """Faces on noise, which no encoder makes small."""
    generator = np.random.default_rng(0)
    for index in range(_N_RESULTS):
        one = made_up(index, index / 30)
        one.frame.image_bgr[:] = generator.integers(0, 255, one.frame.image_bgr.shape, np.uint8)
        yield one


def about() -> About:
    return About(
        labels=LABELS,
        model="m.onnx",
        source="camera 0",
        began_at=datetime.now().astimezone(),
        with_overlay=False,
    )


def _into(sink: ResultSink) -> int:
    """Write everything; how many results were taken before the disk refused."""
    n = 0
    try:
        for one in results():
            sink.write("camera 0", one)
            n += 1
            if isinstance(sink, Recorder) and n % 20 == 0:
                sink.mark(Marker(f"m{n // 20}", one.frame.captured_at_s))
        sink.close()
    except Exception:
        Kept.n, Kept.path = n, sink.abandon()
        raise
    return n


class Kept:
    """What the last writer that was refused has left."""

    n, path = 0, None  # type: ignore[var-annotated]  # set where it is refused


def write_recording(folder: Path) -> None:
    _into(Recorder(folder / "recordings", about()))


def check_recording(folder: Path) -> list[str]:
    return whole.recording(Kept.path, Kept.n) if Kept.path is not None else []


def write_capture(folder: Path) -> None:
    from fer_live.personal.clip_recorder import ClipRecorder

    _into(ClipRecorder(folder / "clips", about, 1 << 30, min_change=0.0))


def check_capture(folder: Path) -> list[str]:
    return whole.recording(Kept.path, 0) if Kept.path is not None else []


def write_csv(folder: Path) -> None:
    _into(open_file_sink(folder / "rows.csv", LABELS))


def check_csv(folder: Path) -> list[str]:
    return whole.csv_rows(Kept.path, Kept.n) if Kept.path is not None else []


def write_jsonl(folder: Path) -> None:
    _into(open_file_sink(folder / "rows.jsonl", LABELS))


def check_jsonl(folder: Path) -> list[str]:
    return whole.json_rows(Kept.path, Kept.n) if Kept.path is not None else []


def write_parquet(folder: Path) -> None:
    _into(open_file_sink(folder / "rows.parquet", LABELS))


def write_settings(folder: Path) -> None:
    calm = load_settings()[0].calm
    change_settings({"calm": 0.25 if calm == 0.75 else 0.75, "recent_locations": ("x" * 9000,)})


def write_report(folder: Path) -> None:
    from fer_live.recording.report import write_recording_report

    write_recording_report(
        folder / "report.html", Recording.open(_recorded(folder)), with_pictures=True
    )


def _recorded(folder: Path) -> Path:
    return next(path for path in (folder / "before").iterdir() if path.is_dir())


def write_snapshot(folder: Path) -> None:
    from PyQt6.QtGui import QImage

    from fer_live.window.snapshot import take_snapshot

    class View:
        def picture(self) -> QImage:
            noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
            return QImage(noise.tobytes(), 160, 120, 480, QImage.Format.Format_RGB888).copy()

    said: list[Any] = []
    take_snapshot(View(), said.append)  # type: ignore[arg-type]
    if said[0].severity == "error":
        raise FerLiveError(said[0].text)


def write_install(folder: Path) -> None:
    from fer_live.personal.models import install_model

    install_model(folder.parent / "run", f"me {len(list(folder.glob('models/me*')))}", anyway=True)


def check_install(folder: Path) -> list[str]:
    found = (folder / "models").glob("[!.]*/") if (folder / "models").is_dir() else []
    variants = {CPU_MODEL, GPU_MODEL, CHECKPOINT}
    return [
        f"{path.name}: half a model"
        for path in found
        if {f.name: f.stat().st_size for f in path.iterdir()}
        != {name: asset(name).stat().st_size for name in variants}
    ]


def write_analyze(folder: Path) -> None:
    from fer_live.analyze.options import AnalyzeOptions
    from fer_live.analyze.run import analyze

    _, broken = analyze(
        AnalyzeOptions(
            sources=[str(_recorded(folder) / "video.mkv")], out=folder / "rows.csv", every=20
        )
    )
    if broken:
        raise FerLiveError(broken[0])


def nothing(_: Path) -> list[str]:
    return []


WRITERS: dict[str, tuple[Callable[[Path], None], Callable[[Path], list[str]], int]] = {
    "recording": (write_recording, check_recording, 6_000_000),
    "capture": (write_capture, check_capture, 2_000_000),
    "csv": (write_csv, check_csv, 80_000),
    "jsonl": (write_jsonl, check_jsonl, 160_000),
    "parquet": (write_parquet, nothing, 110_000),
    "settings": (write_settings, nothing, 12_000),
    "report": (write_report, nothing, 150_000),
    "snapshot": (write_snapshot, nothing, 60_000),
    "install": (write_install, check_install, 25_000_000),
    "analyze": (write_analyze, nothing, 8_000),
}
"""Name -> what writes, what looks at what it left, and about how many bytes it needs."""


@contextmanager
def home_in(mounted: Path) -> Iterator[Path]:
    """A home on the small disk, with what was there before."""
    folder = mounted / "home"
    os.environ["FER_LIVE_HOME"] = str(folder)
    change_settings({"calm": 0.75})
    recorder = Recorder(folder / "before", about())
    for one in list(results())[:40]:
        recorder.write("camera 0", one)
    recorder.close()
    yield folder


def before(folder: Path) -> dict[Path, bytes]:
    """The files that may not change."""
    paths = [folder / SETTINGS_FILE, *(folder / "before").rglob("*")]
    return {path: path.read_bytes() for path in paths if path.is_file()}


def attempt(writer: str, folder: Path) -> tuple[str, list[str]]:
    """What the writer says where it is refused, empty where it is not, and its troubles."""
    write, _, _ = WRITERS[writer]
    Kept.n, Kept.path = 0, None
    try:
        write(folder)
    except FerLiveError as error:
        n_lines = len(str(error).splitlines())
        return str(error), [] if n_lines == 1 else [f"it says {n_lines} lines"]
    except Exception as error:  # noqa: BLE001  # a traceback, which nobody may see
        return "a bug", [f"{type(error).__name__}: {error}"]
    return "", []


def run(writer: str, mounted: Path, number: int, what: str) -> list[str]:
    """Try a writer on a disk that refuses, and once more on one that does not."""
    choose = random.Random(f"{writer} {what} {number}")
    disk = Disk(mounted)
    _, check, n_bytes = WRITERS[writer]
    with home_in(mounted) as folder:
        kept = before(folder)
        if what == "full":
            disk.fill(choose.randrange(0, n_bytes) // _PAGE * _PAGE)
        else:
            disk.remount("ro")
        said, troubles = attempt(writer, folder)
        if what == "read_only" and not said:
            troubles.append("it was written on a disk that is read-only")
        changed = [path.name for path, content in kept.items() if path.read_bytes() != content]
        if said and changed:
            troubles.append(f"changed although it was refused: {', '.join(changed)}")
        troubles += check(folder)
        left = [path.name for path in folder.rglob("*.partial*") if writer not in _KEEPS]
        if said and left:
            troubles.append(f"left behind: {', '.join(left)}")
        disk.remount("rw") if what == "read_only" else disk.make_room()
        again, more = attempt(writer, folder)
        if again:
            troubles.append(f"refused although there is room: {again}")
        return troubles + more


_KEEPS = ("csv", "jsonl", "parquet", "analyze")
"""What was written of these is kept, and named."""


def main() -> None:
    """Print the troubles of one writer."""
    from PyQt6.QtGui import QGuiApplication

    application = QGuiApplication([])
    writer, mounted, number, what = sys.argv[1:]
    print(json.dumps(run(writer, Path(mounted), int(number), what)))
    del application


if __name__ == "__main__":
    main()
