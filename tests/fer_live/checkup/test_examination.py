import pytest

from fer_live.checkup import examination
from fer_live.checkup.examination import examine, report
from fer_live.errors import FerLiveError, SourceError


class Shut:
    def __init__(self, number: int) -> None:
        raise SourceError(f"camera {number}: in use; close the program that uses it")


def broken() -> str:
    raise FerLiveError("the model is damaged")


@pytest.fixture
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "screen_is_there", lambda: False)
    monkeypatch.setattr(examination, "CameraSource", Shut)
    monkeypatch.setattr(examination, "list_cameras", lambda: {0: "Webcam", 2: "Phone"})


@pytest.mark.usefixtures("nothing_there")
def test_what_is_missing_comes_with_what_to_do_and_a_clip_is_enough():
    findings = examine()
    lines = report(findings).splitlines()
    screen = next(k for k, line in enumerate(lines) if line.startswith("screen"))
    assert "missing" in lines[screen]
    assert lines[screen + 1].strip().startswith("do: ")
    cameras = next(k for k, line in enumerate(lines) if line.startswith("cameras"))
    assert lines[cameras] == "cameras   missing: camera 0: in use; close the program that uses it"
    assert "--demo" in lines[cameras + 1]
    assert findings["ok"]
    assert findings["cameras"] == []
    assert "NOT OK" not in "\n".join(lines), "a clip can be read, so nothing is wrong"
    assert lines[-1] == "result    a clip can be read; exit code 0"


@pytest.mark.usefixtures("nothing_there")
def test_a_pipeline_that_fails_is_told_with_its_remedy_and_exit_code(monkeypatch):
    monkeypatch.setattr(examination, "_pipeline", broken)
    findings = examine()
    text = report(findings)
    assert "NOT OK: the model is damaged" in text
    assert "pip install --force-reinstall ." in text
    assert text.endswith("not even a clip can be read; exit code 1")


def test_cameras_that_open_need_no_word(monkeypatch: pytest.MonkeyPatch):
    class Open:
        def __init__(self, number: int) -> None:
            if number == 2:
                raise SourceError("camera 2: in use")

        def close(self) -> None:
            pass

    monkeypatch.setattr(examination, "CameraSource", Open)
    monkeypatch.setattr(examination, "list_cameras", lambda: {0: "Webcam", 2: "Phone"})
    monkeypatch.setattr(examination, "_pipeline", lambda: "read")
    findings = examine()
    assert (findings["cameras"], findings["no_camera"]) == ([0], "")
    assert "cameras   0\n" in report(findings)
