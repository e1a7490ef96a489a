"""Whether what lies on the disk is whole; each trouble is a line."""

import csv
import json
from itertools import pairwise
from pathlib import Path

from fer_live.errors import FerLiveError
from fer_live.outputs.marker_file import companion_of, read_marker_file
from fer_live.recording.player import ClipPlayer
from fer_live.recording.recorder import Recording

LAST_S = 1.0
"""What a kill may cost of a video."""


def json_rows(path: Path, at_least: int) -> list[str]:
    """Troubles of a file of JSON lines that may end in the midst of one."""
    lines = path.read_bytes().split(b"\n")
    try:
        rows = [json.loads(line) for line in lines[:-1]]
    except ValueError:
        return [f"{path.name}: a line that is no JSON"]
    return _in_order(path.name, [float(row["time_s"]) for row in rows], at_least)


def csv_rows(path: Path, at_least: int) -> list[str]:
    """Troubles of a file of rows that may end in the midst of one."""
    text = path.read_text(encoding="utf-8")
    header, *rows = csv.reader(text[: text.rfind("\n") + 1].splitlines())
    if any(len(row) != len(header) for row in rows):
        return [f"{path.name}: a row that is no row"]
    at = header.index("time_s")
    return _in_order(path.name, [float(row[at]) for row in rows], at_least)


def recording(folder: Path, rows_at_least: int) -> list[str]:
    """Troubles of a recording, read as the review tab reads it."""
    troubles = json_rows(folder / "faces.jsonl", rows_at_least)
    try:
        whole = Recording.open(folder)
        rows = whole.rows()
    except FerLiveError as error:
        return [*troubles, f"{folder.name}: {error}"]
    try:
        player = ClipPlayer(whole.video)
    except FerLiveError as error:
        if not rows or float(rows[-1]["time_s"]) < LAST_S:
            return troubles  # killed in its first second
        return [*troubles, f"{folder.name}: {error}"]
    try:
        if player.at(player.length_s) is None:
            troubles.append(f"{folder.name}: its last picture cannot be seen")
        if rows and player.length_s < float(rows[-1]["time_s"]) - LAST_S:
            troubles.append(f"{folder.name}: more than the last second of the video is lost")
    finally:
        player.close()
    return troubles


def markers(rows: Path) -> list[str]:
    """Troubles of the markers beside a file of rows, which are numbered m0, m1, ..."""
    numbers = [
        int(span.text[1:])
        for span in read_marker_file(companion_of(rows))
        if span.text[:1] == "m" and span.text[1:].isdigit()
    ]
    missing = [b - a for a, b in pairwise(numbers) if b - a != 1]
    return [f"{rows.name}: markers are missing between others"] if missing else []


def _in_order(name: str, times_s: list[float], at_least: int) -> list[str]:
    troubles = []
    if any(after < before for before, after in pairwise(times_s)):
        troubles.append(f"{name}: rows are not in the order of their times")
    if len(times_s) < at_least:
        troubles.append(f"{name}: {len(times_s)} rows, {at_least} had been written")
    return troubles
