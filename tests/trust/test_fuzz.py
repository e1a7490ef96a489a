import sys
from pathlib import Path
from random import Random

import pytest

from fer_live.errors import InputError
from tests.trust.fuzz import batch, kinds
from tests.trust.fuzz.kind import kind_of
from tests.trust.fuzz.media import whole_file
from tests.trust.fuzz.spoil import bytes_spoilt, json_spoilt, table_spoilt

A_FEW = {
    "media": ("mp4", "png", "folder of images"),
    "models": ("model", "quantized model"),
    "personal": ("settings", "recording", "row index"),
    "tables": ("study jsonl",),
    "messages": ("osc", "websocket handshake"),
}
COUNT = 40


@pytest.mark.parametrize("kind", [kind for few in A_FEW.values() for kind in few])
def test_spoilt_inputs_end_in_one_line_at_most(kind: str):
    """`make fuzz` reads 10,000 of every kind."""
    outcome = batch.run_batch(kind, 0, COUNT)
    assert outcome.failures == ()
    assert outcome.n == COUNT


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_kind_is_made_and_spoilt(kind: str, tmp_path: Path):
    """Of one number always in the same way, so that a failure can be had again."""
    found = kinds.kind_called(kind)
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        batch.write_input(found, kind, 7, tmp_path / name)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append([path.read_bytes() for path in files if path.suffix != ".npz"])
    assert contents[0] == contents[1]


def work(read, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """What a batch in this process tells of four inputs."""
    kind = kind_of(lambda folder: None, lambda folder, choose: None, read)
    told = tmp_path / "told"
    with told.open("w") as out:
        made = batch._Work(kind, "made up", tmp_path, out)
        made._whole.mkdir()
        for number in range(2):
            for failure in made._failures(number, batch.Reader(read)):
                print(failure, file=out)
    return told.read_text()


def test_what_is_no_error_of_ours_is_a_failure(tmp_path: Path, capfd):
    def read(folder: Path) -> None:
        raise KeyError("x")

    assert "KeyError at" in work(read, tmp_path, capfd)


def test_an_error_of_ours_is_none(tmp_path: Path, capfd):
    def read(folder: Path) -> None:
        raise InputError("so it is")

    assert work(read, tmp_path, capfd) == ""


def test_a_file_outside_its_folder_is_a_failure(tmp_path: Path, capfd):
    def read(folder: Path) -> None:
        (folder.parent / "stray").write_text("x")

    assert "files outside the folder" in work(read, tmp_path, capfd)


def test_a_descriptor_that_is_left_open_is_a_failure(tmp_path: Path, capfd):
    left = []

    def read(folder: Path) -> None:
        left.append((folder / "new").open("w"))

    assert "descriptors left open" in work(read, tmp_path, capfd)
    for file in left:
        file.close()


def test_a_process_that_dies_costs_its_input_alone(monkeypatch: pytest.MonkeyPatch):
    """Told with its number; where the first one cannot even begin, that is told too."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    outcome = batch.run_batch("mp4", 0, 3)
    assert len(outcome.failures) == 1
    assert "did not begin" in outcome.failures[0]


@pytest.mark.parametrize("number", range(30))
def test_what_is_spoilt_is_another(number: int):
    """But for a few that come out as they were."""
    n_same = 0
    for seed in range(10):
        choose = Random(f"{number} {seed}")
        png = whole_file("png")
        n_same += bytes_spoilt(png, choose) == png
        n_same += json_spoilt(b'{"a": [1, 2], "b": {"c": "d"}}', choose) == b""
        n_same += table_spoilt(b"a,b\n1,2\n", choose) == b"a,b\n1,2\n"
    assert n_same < 10
