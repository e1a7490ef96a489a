"""The file that CSV and JSONL grow in: its bytes, its test, and what it says of a bad disk."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_live.errors import InputError, OutputError
from fer_live.outputs import text_file
from fer_live.outputs.files import open_file_sink
from fer_live.outputs.text_file import GrowingTextFile, check_text_file, suggested_file
from tests.helpers.clocks import Noon
from tests.helpers.results import LABELS, result


@pytest.fixture
def file(tmp_path: Path) -> Iterator[GrowingTextFile]:
    file = GrowingTextFile(tmp_path / "rows.csv")
    yield file
    file.abandon()


def full_disk(*_: object, **__: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def refused_at(path: Path) -> str:
    return f"{path}: cannot write: the disk is full; free some space or choose another place"


def test_the_test_says_where_the_rows_grow_and_leaves_nothing(file, tmp_path):
    assert file.test() == (
        "A test line was written, read and deleted beside the file, which grows as "
        "rows.partial.csv."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["rows.partial.csv"]
    assert file.partial.read_bytes() == b"", "no test stands among the data"


def test_the_test_writes_the_time_into_a_file_beside(file, tmp_path, monkeypatch):
    written: dict[Path, str] = {}
    monkeypatch.setattr(text_file, "datetime", Noon)
    monkeypatch.setattr(Path, "unlink", lambda path: written.update({path: path.read_text()}))
    file.test()
    assert written == {tmp_path / "rows.partial.test.txt": "FER Live test 12:00:00"}


def test_the_test_names_the_folder_and_the_reason_of_a_refusal(file, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_text", full_disk)
    assert file.test() == f"{tmp_path}: the disk is full"


def test_the_test_tells_a_disk_that_gives_back_other_text(file, tmp_path, monkeypatch):
    monkeypatch.setattr(text_file, "read_text", lambda path: "something else")
    assert file.test() == f"{tmp_path}: what was written is not what is read there"


def test_text_of_every_script_is_utf_8_and_half_a_character_is_spelt_out(file):
    file.append("촬영 \ud800\n")
    assert file.partial.read_bytes() == "촬영 \\ud800\n".encode()


def test_the_ends_of_lines_stay_as_they_were_written(file):
    file.append("a\nb\r\nc\n")
    assert file.partial.read_bytes() == b"a\nb\r\nc\n"


def test_the_last_line_stays_known_where_nothing_new_is_written(file):
    file.append("a\nb\n")
    file.append("")
    assert file.last_line == "b"


def test_a_refused_row_names_the_file_that_the_person_chose(file, tmp_path, monkeypatch):
    class Full:
        def write(self, _: str) -> None:
            full_disk()

        def close(self) -> None:
            pass

    file._file.close()
    monkeypatch.setattr(file, "_file", Full())
    with pytest.raises(OutputError) as told:
        file.append("row\n")
    assert str(told.value) == refused_at(tmp_path / "rows.csv")
    assert file.last_line == "", "it was not written"


@pytest.mark.parametrize("call", ["finish", "close"])
def test_a_refused_end_names_the_file_that_the_person_chose(file, tmp_path, monkeypatch, call):
    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OutputError) as told:
        getattr(file, call)()
    assert str(told.value) == refused_at(tmp_path / "rows.csv")
    assert file.abandon() == tmp_path / "rows.partial.csv"


def test_a_refused_move_to_its_place_names_the_file(file, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OutputError) as told:
        file.close()
    assert str(told.value) == refused_at(tmp_path / "rows.csv")


def test_a_file_of_another_suffix_is_refused_with_its_name(tmp_path):
    check_text_file(str(tmp_path / "a.csv"), ".csv")
    with pytest.raises(InputError, match=r"a\.txt: unknown kind '\.txt'; end it in \.csv$"):
        check_text_file(str(tmp_path / "a.txt"), ".csv")


def test_an_unknown_kind_of_finished_file_lists_the_known_ones(tmp_path):
    with pytest.raises(InputError) as told:
        open_file_sink(tmp_path / "a.txt", LABELS)
    assert str(told.value) == (
        f"{tmp_path / 'a.txt'}: unknown kind; end it in .csv or .jsonl or .parquet"
    )


def test_a_suggested_file_is_named_after_the_moment(tmp_path, monkeypatch):
    monkeypatch.setattr(text_file, "datetime", Noon)
    monkeypatch.setattr(text_file, "documents", lambda: tmp_path)
    assert suggested_file(" excel.csv") == str(tmp_path / "faces 2026-11-25 12.00.00 excel.csv")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_file_of_rows_tells_its_last_row_and_tests_its_disk(tmp_path, suffix):
    sink = open_file_sink(tmp_path / f"a{suffix}", LABELS)
    sink.write("first.mp4", result(0, 0.0))
    sink.write("촬영.mp4", result(1, 0.1))
    assert "촬영.mp4" in sink.last_message, "as it is, not spelt out"
    assert sink.last_message == sink.partial.read_text(encoding="utf-8").splitlines()[-1]
    assert sink.send_test() == (
        "A test line was written, read and deleted beside the file, which grows as "
        f"a.partial{suffix}."
    )
    sink.close()
