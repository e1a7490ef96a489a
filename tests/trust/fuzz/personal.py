"""What FER_LIVE_HOME holds of a person: settings, recordings, takes, and proofs of retrainings."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np

from fer_live.base.settings import SETTINGS_FILE, KeptSource, MarkerKey, Settings, load_settings
from fer_live.base.settings import save_settings as _save_settings
from fer_live.datatypes import Frame
from fer_live.personal.clips import find_clips, list_clips, list_takes, name_of, summarize
from fer_live.personal.proof import (
    Compared,
    Flicker,
    LabelGain,
    Preference,
    Proof,
    load_compared,
    load_proof,
    save_compared,
    save_proof,
)
from fer_live.personal.takes import label_folders, n_takes, next_round
from fer_live.recording.part import save_part
from fer_live.recording.recorded_faces import RecordedFaces
from fer_live.recording.recorder import Recording, list_recordings
from fer_live.recording.report import write_recording_report
from fer_live.recording.row_index import INDEX_FILE, load_index
from fer_live.recording.shelf import look_at, renamed, shelf
from tests.trust.fuzz.kind import InputKind, kind_of
from tests.trust.fuzz.media import whole_file
from tests.trust.fuzz.spoil import arrays_spoilt, spoil_file, spoil_folder

_LABELS = ("neutral", "happiness", "wink")
_RECORDING = "2026-11-25 14.03.22"


def _write_settings(folder: Path) -> None:
    settings = Settings(
        notice_accepted_on="2026-11-25",
        sources=(KeptSource(camera=0, name="left"), KeptSource(location="a.mp4")),
        recent_locations=("a.mp4", "rtsp://x/y"),
        camera_size_wh=(640, 480),
        camera_fps=30,
        readings=1,
        marker_keys=(MarkerKey(text="block", is_interval=True),),
        recent_markers=("block",),
        geometry="AdnQywADAAAAAA==",
    )
    (folder / "home").mkdir()
    (folder / "home" / SETTINGS_FILE).write_text(settings.model_dump_json(by_alias=True))


def _load_settings(folder: Path) -> None:
    """As every start does, and as a change in the window keeps them."""
    settings, line = load_settings()
    assert len(line.splitlines()) < 2, line
    _save_settings(settings.but(calm=0.25))
    assert load_settings() == (settings.but(calm=0.25), "")


def _write_proof(folder: Path) -> None:
    gain = LabelGain(n_faces=100, n_takes=8, before=0.5, after=0.6, lower=0.01, upper=0.2)
    chosen = Preference(n_shown=20, n_new=15, n_old=5)
    flicker = Flicker(before=30, after=20)
    save_proof(folder, Proof(gain=gain, n_differing=30, flicker=flicker, preference=chosen))


def _read_proof(folder: Path) -> None:
    """As `fer-live models install` and the window do."""
    proof = load_proof(folder)
    assert len(proof.verdict().splitlines()) <= 1
    assert isinstance(proof.passes or proof.may_ask or proof.speaks_against, bool)


def _write_compared(folder: Path) -> None:
    probs = np.full((20, 8), 0.125, np.float32)
    faces = np.zeros((20, 48, 48), np.uint8)
    save_compared(folder, Compared(faces, probs, probs, tuple("abcdefgh")))


def _read_compared(folder: Path) -> None:
    """As the window does, which shows both answers to each face."""
    compared = load_compared(folder)
    for face, before, after in zip(*compared[:3], strict=True):
        assert face.ndim == 2
        assert compared.labels[before.argmax()] + compared.labels[after.argmax()]


def _rows() -> str:
    lines = []
    for number in range(12):
        frame, track_id = number // 2, 1 + number % 2
        row: dict[str, object] = {
            "source": "camera 0",
            "frame": frame,
            "time_s": frame * 0.04,
            "utc": f"2026-11-25T14:03:22.{frame:03}Z",
            "track_id": track_id,
            "x1": 1.0,
            "y1": 1.0,
            "x2": 20.0,
            "y2": 20.0,
            "detection_confidence": 0.9,
            "label": "neutral",
            "shown_label": "neutral",
            "shown_confidence": 0.8,
            "quality": 0.9,
            "quality_reason": "",
            "confidence": 0.8,
            "p_neutral": 0.8,
            "p_happiness": 0.1,
            "p_wink": 0.1,
            "smoothed": [0.8, 0.1, 0.1],
            "heat_map": {
                "weights": [[0.1, 0.2], [0.3, 0.4]],
                "crop_to_frame": [[1, 0, 0], [0, 1, 0]],
            },
        }
        lines.append(json.dumps(row))
    return "\n".join([*lines, ""])


def _fill_recording(folder: Path) -> None:
    folder.mkdir(parents=True)
    about = {
        "labels": _LABELS,
        "own_labels": ["wink"],
        "model": "m.onnx",
        "source": "camera 0",
        "began_at": "2026-11-25T14:03:22Z",
        "with_overlay": False,
        "name": "first",
    }
    (folder / "recording.json").write_text(json.dumps(about))
    (folder / "video.mkv").write_bytes(whole_file("mkv"))
    (folder / "faces.jsonl").write_text(_rows())
    markers = (
        "source,marker,from,to,utc,origin\n,a,0.040000,0.120000,,osc\n,b,0.080000,0.080000,,\n"
    )
    (folder / "faces.jsonl.markers.csv").write_text(markers)
    (folder / "notes.json").write_text(json.dumps([{"time_s": 0.04, "text": "a note"}]))
    (folder / "persons.json").write_text(json.dumps({"groups": [[1, 2]]}))


def _write_recording(folder: Path) -> None:
    _fill_recording(folder / "home" / "recordings" / _RECORDING)


def _spoil_recording(folder: Path, choose: Random) -> None:
    spoil_folder(folder / "home", choose, spared=() if choose.random() < 0.2 else (".mkv",))


def _review(folder: Path) -> None:
    """What the window does with everything in the folder of recordings."""
    for entry in shelf(folder / "home" / "recordings"):
        assert entry.began_at_s is not None
        assert len(entry.trouble.splitlines()) < 2
        if entry.recording is not None:
            _use(entry.recording, folder)


def _use(recording: Recording, folder: Path) -> None:
    faces = RecordedFaces(recording)
    image = np.zeros((48, 64, 3), np.uint8)
    for number in range(6):
        faces.result(Frame(image, number, number * 0.04))
    for number in faces.numbers:
        list(faces.of(number)[:3])
    assert faces.seen_longest is None or faces.seen_longest in faces.numbers
    write_recording_report(folder / "report.html", recording, with_pictures=True)
    recording.utc_at(0.1)
    recording.save_markers(recording.markers())
    look_at(recording)
    renamed(recording, "second")
    save_part(recording, 0.04, 0.12, folder / "home" / "recordings", lambda _: None)


def _write_takes(folder: Path) -> None:
    home = folder / "home"
    _fill_recording(home / "takes" / "happiness" / f"{_RECORDING} take 1")
    _fill_recording(home / "clips" / _RECORDING)
    _fill_recording(home / "persons" / "Ada" / "clips" / _RECORDING)


def _use_takes(folder: Path) -> None:
    """What `fer-live clips` lists, and what a round and a retraining look for."""
    kept = [*list_clips(), *list_takes()]
    lines = [summarize(clip).line() for clip in kept]
    assert all(len(line.splitlines()) == 1 for line in lines), lines
    find_clips([name_of(clip.folder) for clip in kept])
    assert next_round(["happiness"])[0].take == n_takes("happiness") + 1
    label_folders(folder / "home" / "takes", ["happiness"])


def _write_index(folder: Path) -> None:
    _write_recording(folder)
    RecordedFaces(list_recordings(folder / "home" / "recordings")[0])


def _spoil_index(folder: Path, choose: Random) -> None:
    """The times of the files are those of the rows, so that the index is taken for theirs."""
    path = folder / "home" / "recordings" / _RECORDING / INDEX_FILE
    with np.load(path) as told:
        arrays = {name: told[name] for name in told.files}
    rows = path.with_name("faces.jsonl")
    arrays["of"][1:3] = rows.stat().st_size, rows.stat().st_mtime_ns
    np.savez(path, **arrays)
    path.write_bytes(arrays_spoilt(path.read_bytes(), choose))


def _use_index(folder: Path) -> None:
    for recording in list_recordings(folder / "home" / "recordings"):
        load_index(recording.folder / "faces.jsonl", recording.about.labels)
        faces = RecordedFaces(recording)
        for number in range(6):
            faces.result(Frame(np.zeros((48, 64, 3), np.uint8), number, number * 0.04))
        for number in faces.numbers:
            list(faces.of(number)[:3])


def _in_home(name: str) -> Callable[[Path, Random], None]:
    return lambda folder, choose: spoil_file(folder / "home" / name, choose)


KINDS: dict[str, InputKind] = {
    "settings": kind_of(_write_settings, _in_home(SETTINGS_FILE), _load_settings),
    "proof": kind_of(_write_proof, spoil_folder, _read_proof),
    "compared": kind_of(_write_compared, spoil_folder, _read_compared),
    "recording": kind_of(_write_recording, _spoil_recording, _review),
    "takes": kind_of(_write_takes, _spoil_recording, _use_takes),
    "row index": kind_of(_write_index, _spoil_index, _use_index),
}
