"""What a receiver that never reads has not taken by the end counts as dropped."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fer_live.datatypes import FrameResult
from fer_live.outputs import worker
from fer_live.outputs.worker import SinkWorker
from fer_live.recording.recorder import new_folder
from tests.helpers.results import result


class Deaf:
    """Takes the first result and never comes back before `wakes`."""

    def __init__(self) -> None:
        self.wakes = threading.Event()
        self.n_taken = 0

    def write(self, source: str, result: FrameResult) -> None:
        self.n_taken += 1
        self.wakes.wait()

    def close(self) -> None:
        pass

    def abandon(self) -> Path | None:
        return None


def test_what_waits_when_a_deaf_sink_is_left_behind_is_dropped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker, "_ENDS_WITHIN_S", 0.05)
    deaf = Deaf()
    output = SinkWorker(deaf)
    output.offer("camera 0", result(0, 0.0))
    while not deaf.n_taken:
        pass
    for index in range(1, 6):
        output.offer("camera 0", result(index, index / 30))
    output.close()
    assert output.dropped == 5
    deaf.wakes.set()
    output.close()
    assert (output.written, output.dropped, deaf.n_taken) == (1, 5, 1)


def test_recordings_of_one_second_have_folders_of_their_own(tmp_path: Path):
    began_at = datetime(2026, 11, 26, 9, tzinfo=UTC)
    made: list[Path] = []
    threads = [
        threading.Thread(target=lambda: made.append(new_folder(tmp_path, began_at)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8
