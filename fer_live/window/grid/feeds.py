"""The sources of a window, of which one is chosen: more come, and any but the last may go."""

import threading
import time
from collections.abc import Callable

from PyQt6.QtCore import QObject, QPoint, QTimer, pyqtSignal
from PyQt6.QtWidgets import QInputDialog, QWidget

from fer_live.base.translation import tr
from fer_live.datatypes import FrameResult
from fer_live.errors import InputError
from fer_live.session.live import Failure
from fer_live.session.marker_board import MarkerBoard
from fer_live.session.meter import Meter
from fer_live.sources.choice import SourceChoice
from fer_live.sources.several import (
    NamedSource,
    clean_name,
    free_name,
    refuse_one_camera_twice,
    to_keep,
)
from fer_live.vision.pipeline import Pipeline
from fer_live.window.grid.feed import Feed, LoadPipeline
from fer_live.window.live_page import LivePage
from fer_live.window.notices import warned
from fer_live.window.preferences import Preferences

_STATUS_EVERY_MS = 1000


class Feeds(QObject):
    """Makes and owns the feeds, and remembers for the next start which sources there were.

    `added`, `leaving` and `closing` bring a feed: a new one, one to which another source comes, and
    one that goes. `chosen_changed` tells that another one is chosen, or is called otherwise,
    `marked` that recording, capturing or a picture began or ended, `captured` that a clip was, and
    `labels_changed` that another model with other labels reads. `file_wanted` and
    `examination_wanted` are what the person asked for where a source alone failed, `menu_wanted`
    the context menu of the chosen picture: the face under the pointer, and the point of the screen.
    `failed` brings a failure that leaves nothing to read: one source of several is no such failure.
    `said` brings a line for the person, and the feed that it is about.

    Args:
        parent: The window.
        page: Shows the tiles.
        preferences: The settings.
        load_pipeline: Loads what reads one source.
        meter: Counts the frames of all.
        show: Called with every result that is shown.
        is_sent: Whether outputs are on, which write the names.

    Attributes:
        markers: The board of all sources: a marker is of a time, not of a source.
    """

    added = pyqtSignal(object)
    leaving = pyqtSignal(object)
    closing = pyqtSignal(object)
    chosen_changed = pyqtSignal()
    marked = pyqtSignal()
    captured = pyqtSignal()
    labels_changed = pyqtSignal()
    file_wanted = pyqtSignal()
    examination_wanted = pyqtSignal()
    menu_wanted = pyqtSignal(int, QPoint)
    failed = pyqtSignal(object)
    said = pyqtSignal(object, object)

    def __init__(
        self,
        parent: QWidget,
        page: LivePage,
        preferences: Preferences,
        load_pipeline: LoadPipeline,
        meter: Meter,
        *,
        show: Callable[[Feed, FrameResult, Pipeline], None],
        is_sent: Callable[[], bool],
    ) -> None:
        super().__init__(parent)
        self._parent, self._page, self._preferences = parent, page, preferences
        self._load_pipeline, self._meter, self.markers = load_pipeline, meter, MarkerBoard()
        self._show, self._is_sent = show, is_sent
        self._are_open = False
        self._at_most: float | None = None
        self._feeds: list[Feed] = []
        self._stopping: list[tuple[Feed, threading.Thread]] = []
        self._painted: dict[Feed, int] = {}
        self._looked_at_s = time.monotonic()
        timer = QTimer(self)
        timer.timeout.connect(self._look)
        timer.start(_STATUS_EVERY_MS)

    @property
    def all(self) -> tuple[Feed, ...]:
        """Every feed, in the order in which they came."""
        return tuple(self._feeds)

    @property
    def chosen(self) -> Feed:
        """The one that keys and menus act on, and that bars, timeline and figures are of."""
        return self._chosen

    @property
    def chosen_first(self) -> list[Feed]:
        """Every feed, the chosen one before the others."""
        return [self._chosen, *(feed for feed in self._feeds if feed is not self._chosen)]

    @property
    def broken(self) -> list[str]:
        """Why sources are not read any more, a line for each."""
        return [feed.trouble for feed in self._feeds if feed.trouble]

    def open(self, instead: SourceChoice | None = None) -> None:
        """Open every source, in place of the chosen one another where `instead` names one; those
        that are added later are opened at once."""
        self._are_open = True
        for feed in self._feeds:
            if feed is self._chosen and instead and instead.name != feed.source.named.choice.name:
                feed.source.choose(instead)
            else:
                feed.source.open()

    def make(self, source: NamedSource) -> Feed:
        """Take in one more source; the first one is chosen."""
        feed = Feed(
            self,
            source,
            self._preferences,
            self._load_pipeline,
            self._meter.of_source(source.choice.name),
            self.markers,
            free_name=self._free_name,
            show=self._show,
        )
        self._feeds.append(feed)
        self._painted[feed] = 0
        if len(self._feeds) == 1:
            self._chosen = feed
        feed.leaving.connect(lambda: self.leaving.emit(feed))
        feed.labels_changed.connect(self.labels_changed)
        feed.failed.connect(self._note_failure)
        feed.marked.connect(self.marked)
        feed.capturing.changed.connect(self.captured)
        feed.said.connect(lambda line: self.said.emit(line, feed))
        feed.source.chosen.connect(self._keep)
        feed.tile.card.open_file.connect(self.file_wanted)
        feed.tile.card.examine.connect(self.examination_wanted)
        feed.session.read_at_most(self._at_most)
        feed.tile.pressed.connect(lambda: self.choose(feed))
        feed.tile.menu_wanted.connect(self.menu_wanted)
        feed.tile.head.rename.connect(lambda: self.ask_for_name(feed))
        feed.tile.head.close_wanted.connect(lambda: self.close(feed))
        self._page.add(feed.tile)
        self._share()
        return feed

    def add(self, choice: SourceChoice) -> None:
        """Show one more source beside the others, and choose it."""
        if self._is_taken(choice):
            return
        feed = self.make(NamedSource(choice))
        self.added.emit(feed)
        self.choose(feed)
        self._keep()
        if self._are_open:
            feed.source.open()

    def replace(self, choice: SourceChoice) -> None:
        """Show another source in place of the chosen one."""
        if not self._is_taken(choice, but=self._chosen):
            self._chosen.source.choose(choice)

    def close(self, feed: Feed) -> None:
        """End a source and take its tile away; the last one stays.

        Nothing waits for it: a camera that is stuck holds up nobody.
        """
        if len(self._feeds) == 1 or feed not in self._feeds:
            return
        self.closing.emit(feed)
        self._feeds.remove(feed)
        del self._painted[feed]
        self._stopping.append((feed, feed.begin_stop()))
        if feed is self._chosen:
            self.choose(self._feeds[0])
        self._page.remove(feed.tile)
        self._share()
        self._keep()

    def choose(self, feed: Feed) -> None:
        """Let keys and menus act on this one, and show its bars, timeline and figures."""
        if feed not in self._feeds:
            return
        self._chosen = feed
        self._page.choose(feed.tile)
        self.chosen_changed.emit()

    def choose_next(self) -> None:
        """Choose the one that came after the chosen one; after the last, the first."""
        at = self._feeds.index(self._chosen)
        self.choose(self._feeds[(at + 1) % len(self._feeds)])

    def ask_for_name(self, feed: Feed) -> None:
        """Let the person call a source otherwise, unless its name is being written."""
        if self._is_sent() or feed.recording.is_on or feed.capturing.is_on:
            self.said.emit(warned(tr("The name stays while it is recorded or sent")), feed)
            return
        name, accepted = QInputDialog.getText(
            self._parent,
            tr("Name of the source"),
            tr("As outputs and recordings call it; empty: as the camera or file is called"),
            text=feed.name,
        )
        if accepted:
            self.rename(feed, name)

    def rename(self, feed: Feed, name: str) -> None:
        """Call a source otherwise; the empty name is that of its camera or file."""
        feed.source.rename(clean_name(name))

    @property
    def recorded_since_s(self) -> float | None:
        """Since when sources are recorded, on the monotonic clock; None while none is."""
        since = [feed.recording.since_s for feed in self._feeds if feed.recording.is_on]
        return min(since, default=None)

    def read_at_most(self, per_second: float | None) -> None:
        """Read no more frames of each source than this in a second; None: as many as come."""
        self._at_most = per_second
        for feed in self._feeds:
            feed.session.read_at_most(per_second)

    def reopen_cameras(self) -> None:
        """Open every camera again."""
        for feed in self._feeds:
            feed.source.reopen_camera()

    def begin_stop(self) -> None:
        """End every source; `wait` blocks until all have ended."""
        running = {feed for feed, _ in self._stopping}
        for feed in self._feeds:
            if feed not in running:
                self._stopping.append((feed, feed.begin_stop()))

    def wait(self) -> None:
        """Block until every source that was ended is over, and what was recorded is on the disk."""
        for _, thread in self._stopping:
            thread.join()
        for feed in self._feeds:
            feed.tile.card.wait()

    def _free_name(self, wanted: str, feed: Feed) -> str:
        return free_name(wanted, (other.name for other in self._feeds if other is not feed))

    def _is_taken(self, choice: SourceChoice, but: Feed | None = None) -> bool:
        """Whether a camera is open already, which opens once alone; says so where it is."""
        others = [feed.source.named.choice for feed in self._feeds if feed is not but]
        try:
            refuse_one_camera_twice([choice, *others])
        except InputError as error:
            self.said.emit(warned(str(error)), None)
            return True
        return False

    def _note_failure(self, failure: Failure) -> None:
        if failure.stage != "source" or all(feed.trouble for feed in self._feeds):
            self.failed.emit(failure)

    def _keep(self) -> None:
        """Remember for the next start which sources there are, where there are several."""
        sources = to_keep([feed.source.named for feed in self._feeds])
        if sources != self._preferences.now.sources:
            self._preferences.change({"sources": sources})
        self.chosen_changed.emit()

    def _share(self) -> None:
        """The feeds share the time that a window may spend, and tell whether there are others."""
        for feed in self._feeds:
            feed.n_feeds = len(self._feeds)
            feed.set_up()

    def _look(self) -> None:
        now_s = time.monotonic()
        passed_s, self._looked_at_s = now_s - self._looked_at_s, now_s
        for feed in self._feeds:
            n_before, self._painted[feed] = self._painted[feed], feed.meter.painted
            if not feed.trouble:
                feed.show_status((feed.meter.painted - n_before) / max(passed_s, 1e-3))
        for feed, thread in list(self._stopping):
            if feed not in self._feeds and not thread.is_alive():
                self._stopping.remove((feed, thread))
                feed.deleteLater()
