"""Batch files as people and spreadsheets write them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live.base.source_table import (
    SourceTable,
    parse_time,
    read_batch_file,
    read_source_table,
    span_of,
)
from fer_live.errors import InputError
from tests.helpers.commands import fails

LINES = (
    ("Source", "participant", "from", "to", "stimulus_order"),
    ("a, b.mp4", "P1; x", "0:01", "1:00:00.5", "3"),
    ("c.mp4", 'the "second"', "", "", ""),
)


def as_text(separator: str, newline: str, lines: tuple[tuple[str, ...], ...] = LINES) -> str:
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in cells] for cells in lines]
    return newline.join(separator.join(cells) for cells in quoted) + newline


def content(table: SourceTable) -> list[tuple[object, ...]]:
    return [(line.source, line.begin_s, line.end_s, *line.texts.values()) for line in table.lines]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("before", ["", "sep=", "\n\n"])
def test_what_spreadsheets_write_is_one_table(
    tmp_path: Path, separator: str, newline: str, encoding: str, before: str
):
    path = tmp_path / "batch.csv"
    head = f"sep={separator}{newline}" if before == "sep=" else before
    path.write_bytes((head + as_text(separator, newline)).encode(encoding))
    table = read_batch_file(path)
    assert table.columns == ("participant", "stimulus_order")
    assert content(table) == [
        ("a, b.mp4", 1.0, 3600.5, "P1; x", "3"),
        ("c.mp4", None, None, 'the "second"', ""),
    ]


def test_empty_lines_and_columns_count_nothing_but_their_lines(tmp_path: Path):
    path = tmp_path / "batch.csv"
    path.write_text('source,note,,\n,,,\n\na.mp4,"two\nlines",,\nb.mp4\n  ,\n')
    table = read_batch_file(path)
    assert [(line.line, line.source) for line in table.lines] == [(5, "a.mp4"), (6, "b.mp4")]
    assert [line.texts for line in table.lines] == [{"note": "two\nlines"}, {"note": ""}]


def test_one_clip_may_have_several_parts(tmp_path: Path):
    path = tmp_path / "batch.csv"
    path.write_text("source,from,to\na.mp4,0,1\na.mp4,1,2\na.mp4,1,3\na.mp4,,\n")
    assert len(read_batch_file(path).lines) == 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no column source; the first line names the columns: source, participant"),
        ("source\n\n", "names no source; write a line for each"),
        ("name,to\na.png,1\n", "line 1: has no column source"),
        ("source,particpant\na,P\n", "line 1: unknown column 'particpant'; did you mean part"),
        ("\nsource,Conditon\na,P\n", "line 2: unknown column 'Conditon'; did you mean condition"),
        ("sorce\na\n", "unknown column 'sorce'; did you mean source"),
        ("source,beganat\na,\n", "did you mean began_at"),
        ("source,x,x\na,1,2\n", "line 1: two columns are called x; rename"),
        ("source,,x\na,1,2\n", "line 1: a column has no name; give it one"),
        ("source,from\na,soon\n", "line 2: from 'soon': write seconds, as 90.5, or"),
        ("source,to\na,1:75\n", "line 2: to '1:75': write seconds"),
        ("source,from\na,1:2:3:4\n", "line 2: from"),
        ("source,from\na,-3\n", "line 2: from"),
        ("source,from,to\na,3,2\n", "line 2: to 2 is not after from 3; a part ends later"),
        ("source,from,to\na,3,3\n", "line 2: to 3 is not after from 3"),
        ("source,to\na,0\n", "line 2: to 0 is not after from 0"),
        ("source,participant\n,P1\n", "line 2: has no source; name a file, or delete"),
        ("source\na.png,b.png\n", "line 2: has more values than columns; put a value"),
        ("source,to\na,1\nb,\na,1\n", "line 4: the same part of a as in line 2; delete one"),
        ("source,from\na,0\n./a,\n", "line 3: the same part of ./a as in line 2"),
        ('source\n"a.mp4\nb.mp4\n', "line 3: is no CSV: .*; look for a quote"),
        (b"source\na.mp4\nM\xfcller.mp4\n", "line 3: is no text in UTF-8; save it as UTF-8"),
        ("source\na\n".encode("utf-16-le"), "no text file with columns; save it as UTF-8"),
        (b"PK\x03\x04\x00\x00", "no text file with columns"),
    ],
)
def test_a_fault_is_one_line_that_says_where_and_what_to_do(
    tmp_path: Path, text: str | bytes, says: str
):
    path = tmp_path / "batch.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=says) as caught:
        read_batch_file(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


@pytest.mark.parametrize("command", ["analyze", "summarize"])
def test_both_commands_refuse_a_fault_before_any_work(run_cli, tmp_path: Path, command: str):
    batch = tmp_path / "batch.csv"
    batch.write_text("source;to\na.mp4;1:75\n")
    rows = {"analyze": (), "summarize": (tmp_path / "rows.csv",)}[command]
    out = tmp_path / "out.csv"
    done = run_cli("fer-live", command, *rows, "--batch", batch, "--out", out)
    fails(done, 2, f"{batch}, line 2: to '1:75': write seconds")
    assert not out.exists()


def test_a_file_that_is_none_is_told(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_batch_file(tmp_path)


def test_columns_that_resemble_those_that_are_there_are_ones_own(tmp_path: Path):
    path = tmp_path / "batch.csv"
    path.write_text("source,participant,participants,session,age\na,P1,3,x,20\n")
    columns = ("participant", "participants", "session", "age")
    assert read_batch_file(path).columns == columns
    path.write_text("marker,from\nx,1\n")
    with pytest.raises(InputError, match="has no column to"):
        read_source_table(path, ("source", "marker", "from", "to"), ("marker", "from", "to"))


@given(st.binary(max_size=60))
def test_whatever_the_file_holds_is_read_or_refused(tmp_path_factory, data: bytes):
    path = tmp_path_factory.mktemp("any") / "batch.csv"
    path.write_bytes(b"source,from,to\n" + data)
    try:
        table = read_batch_file(path)
    except InputError:
        return
    assert all(line.source for line in table.lines)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90.5", 90.5), ("90,5", 90.5), ("0", 0.0), ("1:30.5", 90.5), ("1:02:03", 3723.0),
        ("75:00", 4500.0), (" 01:30:00 ", 5400.0),
    ],
)  # fmt: skip
def test_times_are_seconds_or_clock_times(text: str, seconds: float):
    assert parse_time(text, "--from") == seconds


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1:75", "1:75:00", "1:2:3:4", "1:", "nan", "1e3", "1.5:00"]
)
def test_a_time_that_is_none_is_refused(text: str):
    with pytest.raises(InputError, match="--from"):
        parse_time(text, "--from")


def test_a_part_that_ends_before_it_begins_is_refused():
    with pytest.raises(InputError, match="--to 2 is not after --from 2"):
        span_of("2", "2", option="--")
