"""The demo is what the README says of it, as the app's own pipeline reads it."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
import pytest

from fer_live.datatypes import FaceResult, Frame, FrameResult
from fer_live.model.assets import CPU_MODEL, asset
from fer_live.sources.choice import DEMO_CLIP
from fer_live.sources.clip import ClipSource
from fer_live.vision.classifier import ExpressionClassifier
from fer_live.vision.pipeline import Pipeline
from fer_live.window.grid.tile import LiveTile
from tools.demo.looks import PLAYS
from tools.demo.scene import FPS, FRAME_WH, SECONDS

NAMES = tuple(PLAYS)
"""From the left to the right, as the tiles stand."""
SETTLED_S = 0.8
"""Half of the change of a face, and what the label takes to follow."""
AGAIN_S = 1.0


def frames() -> Iterator[Frame]:
    """The clip, and its first second again, as the window plays it."""
    for begins_s, lasts_s in ((0.0, SECONDS), (SECONDS, AGAIN_S)):
        clip = ClipSource(asset(DEMO_CLIP))
        while (frame := clip.read()) is not None and frame.captured_at_s < lasts_s:
            yield Frame(frame.image_bgr, frame.index, begins_s + frame.captured_at_s)
        clip.close()


@pytest.fixture(scope="module")
def results() -> list[FrameResult]:
    with Pipeline.load(provider="cpu") as pipeline:
        return [pipeline.process(frame) for frame in frames()]


def by_person(result: FrameResult) -> dict[str, FaceResult]:
    tile = FRAME_WH[0] / len(NAMES)
    found = {NAMES[int((f.box_xyxy[0] + f.box_xyxy[2]) / 2 // tile)]: f for f in result.faces}
    assert len(found) == len(result.faces), "two faces in one tile"
    return found


def test_at_least_five_expressions_are_shown_for_a_second_each(results: list[FrameResult]):
    shown_s: dict[str, float] = defaultdict(float)
    for result in results:
        for face in result.faces:
            shown_s[face.shown_label] += 1 / FPS
    assert len([label for label, s in shown_s.items() if label and s >= 1]) >= 5, shown_s


@pytest.mark.parametrize("name", NAMES)
def test_each_look_is_read_as_what_it_was_made_for(results: list[FrameResult], name: str):
    play = PLAYS[name]
    # The last look goes on into the first one, which is the same.
    assert play.acts[-1][1] == play.acts[0][1]
    ends = [begins_s for begins_s, _ in play.acts[1:]] + [SECONDS + SETTLED_S]
    for (begins_s, look), ends_s in zip(play.acts, ends, strict=True):
        settled = [
            by_person(result)[name].shown_label
            for result in results
            if begins_s + SETTLED_S <= result.frame.captured_at_s <= ends_s - SETTLED_S
            and name in by_person(result)
        ]
        share = np.mean([label == look for label in settled])
        assert share >= 0.9, (name, look, begins_s, share)


def test_a_face_keeps_its_number_while_it_is_in_view(results: list[FrameResult]):
    for name in NAMES:
        absence = PLAYS[name].absence
        numbers = [
            (result.frame.captured_at_s, by_person(result)[name].track_id)
            for result in results
            if name in by_person(result)
        ]
        if absence is None:
            assert len(numbers) == len(results), name
            assert len({number for _, number in numbers}) == 1, name
            continue
        before = {number for s, number in numbers if s < absence.leaves_s}
        after = {number for s, number in numbers if s > absence.returns_s}
        assert len(before) == len(after) == 1
        others = [n for s, n in numbers if absence.leaves_s < s < absence.returns_s]
        assert set(others) <= before


def test_one_leaves_for_longer_than_a_face_is_waited_for_and_returns(results: list[FrameResult]):
    (name,) = [name for name in NAMES if PLAYS[name].absence]
    there = [r.frame.captured_at_s for r in results if name in by_person(r)]
    gaps = np.diff(there)
    assert gaps.max() > 3
    assert (gaps > 0.5).sum() == 1


def test_there_is_no_cut_not_even_where_it_begins_again(results: list[FrameResult]):
    small = [cv2.resize(r.frame.image_bgr, (320, 132)).astype(np.int16) for r in results]
    changes = np.array([np.abs(b - a).mean() for a, b in pairwise(small)])
    again = SECONDS * FPS - 1
    assert changes[again] <= np.percentile(changes, 99)
    assert changes.max() < 6, "gray levels from one frame to the next"


def test_the_window_follows_one_of_them_all_the_time(qtbot, results: list[FrameResult]):
    labels = ExpressionClassifier(asset(CPU_MODEL), "cpu").labels
    tile = LiveTile(lambda _: None)
    qtbot.addWidget(tile)
    followed = set()
    for result in results:
        tile.show_result(result, labels, mirror=False, lines=("", ""))
        followed.add(tile.followed)
    assert len(followed) == 1


def test_every_face_moves(results: list[FrameResult]):
    for name in NAMES:
        boxes = np.array([by_person(r)[name].box_xyxy for r in results if name in by_person(r)])
        width = np.median(boxes[:, 2] - boxes[:, 0])
        spread = np.percentile(boxes[:, 0] + boxes[:, 2], [5, 95]) / 2
        assert np.diff(spread)[0] > 0.08 * width, name
