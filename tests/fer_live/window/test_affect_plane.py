from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtWidgets import QApplication

from fer_live.base.circumplex import VALENCE_AROUSAL
from fer_live.model.manifest import EXPRESSIONS
from fer_live.recording.history import Moment
from fer_live.window.grid.tile import LiveTile, Parts
from fer_live.window.live_page import LivePage
from fer_live.window.widgets.affect_plane import AffectPlane
from tests.helpers.results import LABELS, result


def moments(label: str, *times_s: float) -> list[Moment]:
    probs = np.eye(8, dtype=np.float32)[EXPRESSIONS.index(label)]
    return [Moment(time_s, probs, label) for time_s in times_s]


@pytest.fixture
def plane(qtbot) -> AffectPlane:
    widget = AffectPlane()
    qtbot.addWidget(widget)
    widget.resize(210, widget.sizeHint().height())
    widget.show()
    return widget


def test_without_a_face_it_says_so(plane: AffectPlane):
    plane.show_faces([], EXPRESSIONS, 1.0, None)
    assert plane.accessibleDescription() == "No face in view"
    assert plane.place_of(1) is None


def test_each_face_has_its_point_and_the_followed_one_is_read_out(plane: AffectPlane):
    faces = [(1, moments("sadness", 0.0, 0.1)), (2, moments("happiness", 0.1))]
    plane.show_faces(faces, EXPRESSIONS, 0.1, followed=2)
    assert plane.place_of(1) == pytest.approx(VALENCE_AROUSAL["sadness"])
    assert plane.place_of(2) == pytest.approx(VALENCE_AROUSAL["happiness"])
    assert "derived" in plane.accessibleName()
    said = plane.accessibleDescription()
    assert said == "valence +0.8, arousal +0.5; nearest to happiness"


def test_what_is_older_than_three_seconds_leaves_the_trail(plane: AffectPlane):
    plane.show_faces([(1, moments("anger", *range(10)))], EXPRESSIONS, 9.0, followed=1)
    (trail,) = plane._trails
    assert len(trail.places) == 4
    long = moments("anger", *(k / 100 for k in range(300)), 3.0)
    plane.show_faces([(1, long[:-1] + moments("fear", 3.0))], EXPRESSIONS, 3.0, followed=1)
    assert len(plane._trails[0].places) <= 60
    assert plane.place_of(1) == pytest.approx(VALENCE_AROUSAL["fear"]), "the newest is kept"


def test_the_point_is_painted_where_it_belongs(plane: AffectPlane):
    """Happiness lies in the upper right quarter: painting it changes that quarter alone."""

    def picture() -> np.ndarray:
        image = plane.grab().toImage().convertToFormat(plane.grab().toImage().Format.Format_RGB32)
        bits = image.constBits()
        bits.setsize(image.sizeInBytes())
        return np.frombuffer(bits, np.uint8).reshape(image.height(), image.width(), 4).astype(int)

    plane.show_faces([], EXPRESSIONS, 0.0, None)
    empty = picture()
    plane.show_faces([(1, moments("happiness", 0.0))], EXPRESSIONS, 0.0, followed=1)
    rows, columns = np.nonzero(np.abs(picture() - empty).sum(axis=-1) > 30)
    height, width = empty.shape[:2]
    assert len(rows) > 20
    assert columns.min() > 0.7 * width
    assert 0.15 * height < rows.min() and rows.max() < 0.45 * height


def test_the_page_feeds_it_only_while_it_is_seen(qtbot):
    page, tile = LivePage(), LiveTile(lambda _: None)
    page.add(tile)
    qtbot.addWidget(page)
    page.resize(800, 700)
    page.show_parts(Parts(timeline=True, panel=True, plane=False, signals=False))
    page.show()
    shown = result(0, 1.0, happy=1.0)
    tile.show_result(shown, LABELS, mirror=False, lines=("", ""))
    QApplication.processEvents()
    assert tile.plane.place_of(1) is None
    page.show_parts(Parts(timeline=True, panel=False, plane=True, signals=False))
    tile.show_result(shown, LABELS, mirror=False, lines=("", ""))
    QApplication.processEvents()
    assert tile.plane.place_of(1) == pytest.approx(VALENCE_AROUSAL["happiness"])
    tile.show_result(replace(shown, faces=()), LABELS, mirror=False, lines=("", ""))
    QApplication.processEvents()
    assert tile.plane.place_of(1) is None
    page.show_parts(replace(Parts.none(), faces=True))
    assert not page._beside.isHidden(), "all faces alone"
    page.show_parts(Parts.none())
    assert page._beside.isHidden(), "no empty column stays"
