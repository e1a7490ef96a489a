"""How many markers the board takes, what it says of those left out, and which time it believes."""

from datetime import UTC, datetime

import pytest

from fer_live.datatypes import Marker
from fer_live.session import headless, marker_board
from fer_live.session.headless import HeadlessRun
from fer_live.session.marker_board import MarkerBoard
from tests.helpers.clocks import Clock

MOMENT = datetime(2026, 11, 25, 14, 3, 22, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> MarkerBoard:
    return MarkerBoard(clock.monotonic)


def fill(board: MarkerBoard, origin: str = "osc", n: int = 1000) -> int:
    """How many of `n` markers were taken."""
    return sum(board.take(f"m{k}", origin) for k in range(n))


def test_a_thousand_at_once_are_taken_and_not_one_more(board):
    assert fill(board, n=1003) == 1000
    assert board.refused == 3


def test_two_hundred_a_second_are_earned_back(board, clock):
    fill(board)
    clock.sleep(0.5)
    assert fill(board) == 100


def test_no_more_than_a_thousand_are_earned_however_long_it_was_quiet(board, clock):
    fill(board)
    clock.sleep(3600)
    assert fill(board, n=1001) == 1000


def test_those_left_out_of_all_origins_are_added_up(board):
    for origin, n_above in (("osc", 2), ("lsl", 3)):
        fill(board, origin, 1000 + n_above)
    assert board.refused == 5


def test_a_flood_is_told_with_its_count_and_again_after_more_than_five_seconds(board, clock):
    said: list[tuple[str, int]] = []
    board.on_flood = lambda origin, n: said.append((origin, n))
    fill(board, n=1002)
    for at_s in (5.0, 6.0):
        clock.now_s = 1000.0 + at_s
        fill(board, n=1001)
    assert said == [("osc", 1), ("osc", 4)]
    assert board.refused == 2 + 1 + 801


def test_a_run_without_a_window_tells_of_a_flood_on_stderr(capsys):
    run = HeadlessRun([], lambda _: None, None, {}, None, None)  # type: ignore[arg-type, return-value]
    run.markers.on_flood("osc", 7)
    expected = "fer-live: too many markers at once from osc: 7 left out so far\n"
    assert capsys.readouterr().err == expected
    assert headless._tell_flood is run.markers.on_flood


def test_to_ask_for_room_takes_none(board):
    assert all(board.has_room("osc") for _ in range(2000))
    assert fill(board) == 1000


def test_a_text_of_which_nothing_is_left_costs_no_room(board):
    assert not any(board.take(" \x00 ", "osc") for _ in range(500))
    assert fill(board) == 1000


@pytest.mark.parametrize(
    ("told_s", "believed_s"),
    [(940.0, 940.0), (939.9, 1000.0), (1060.0, 1060.0), (1060.1, 1000.0), (None, 1000.0)],
)
def test_a_time_within_a_minute_is_believed(board, monkeypatch, told_s, believed_s):
    at: list[float] = []
    monkeypatch.setattr(marker_board, "utc_of", lambda time_s: at.append(time_s) or MOMENT)
    assert board.add("a", "lsl", told_s) == Marker("a", believed_s, MOMENT, "moment", "lsl")
    assert at == [believed_s], "the wall clock is that of the same moment"


def test_a_begin_of_what_is_open_ends_it_at_the_same_moment_by_the_same_origin(board, clock):
    taken: list[Marker] = []
    board.add("begin:a", "key")
    clock.sleep(2)
    board.subscribe(taken.append)
    board.add("begin:a", "osc")
    assert [(m.kind, m.text, m.time_s, m.origin) for m in taken] == [
        ("begin", "a", 1000.0, "key"),
        ("end", "a", 1002.0, "osc"),
        ("begin", "a", 1002.0, "osc"),
    ]
    assert taken[1].utc == taken[2].utc
