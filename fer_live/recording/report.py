"""A report of what was read, as one HTML page that opens offline."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import matplotlib as mpl
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fer_live import __version__
from fer_live.base.atomic_file import write_atomically
from fer_live.base.colors import expression_hex
from fer_live.base.translation import tr, tr_label
from fer_live.datatypes import FloatArray, FrameResult
from fer_live.model.head import among_common
from fer_live.outputs.face_rows import Row, face_rows, number_in
from fer_live.recording.history import clock
from fer_live.recording.persons import PERSON
from fer_live.recording.recorder import Note

_MAX_FACES = 20
_MAX_GAP_S = 1.0
_MAX_POINTS = 1500


@dataclass(frozen=True, slots=True)
class _FaceInTime:
    """A face of a source, or all faces of a person: times (T,) in seconds, probabilities (T, C),
    shown labels (T,)."""

    source: str
    number: int
    is_person: bool
    times_s: FloatArray
    probs: FloatArray
    shown: Sequence[str]

    @property
    def seconds(self) -> float:
        """How long it was in view, gaps left out."""
        return float(_durations(self.times_s).sum())


class ReportFile:
    """A `ResultSink` into a report, which keeps the rows in memory until it is closed."""

    def __init__(
        self, path: Path, labels: tuple[str, ...], own_labels: tuple[str, ...] = ()
    ) -> None:
        self._path, self._labels, self._own_labels = path, labels, own_labels
        self._rows: list[Row] = []

    def write(self, source: str, result: FrameResult) -> None:
        self.append(face_rows(source, result, self._labels))

    def append(self, rows: Iterable[Row]) -> None:
        self._rows.extend(rows)

    def close(self) -> None:
        write_report(self._path, self._rows, self._labels, self._own_labels)

    def abandon(self) -> Path | None:
        return None


def write_report(
    path: Path,
    rows: Iterable[Row],
    labels: tuple[str, ...],
    own_labels: tuple[str, ...] = (),
    *,
    notes: Sequence[Note] = (),
) -> None:
    """Write the page. `rows` are those of CSV and JSONL; raises `OutputError`.

    `own_labels`, the last of `labels`, have shares of all the time; those of the others are among
    themselves, as they would be without expressions of one's own.
    """
    faces = sorted(_faces(rows, labels), key=lambda face: -face.seconds)
    names = {face.source for face in faces}
    sections = [
        {
            "title": tr("person {number}", number=face.number)
            if face.is_person
            else tr("face {number}", number=face.number),
            "source": Path(face.source).name if len(names) > 1 else "",
            "seconds": f"{face.seconds:.1f}",
            "shares": _shares(face, labels, len(labels) - len(own_labels)),
            "timeline": _timeline(face, labels),
        }
        for face in faces[:_MAX_FACES]
    ]
    environment = Environment(
        loader=PackageLoader("fer_live.recording", ""), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("report.html").render(
        tr=tr,
        version=__version__,
        made_at=datetime.now().strftime("%Y-%m-%d %H:%M"),
        sources=sorted(Path(name).name for name in names),
        sections=sections,
        has_own=bool(own_labels),
        n_left_out=max(len(faces) - _MAX_FACES, 0),
        notes=[(clock(note.time_s), note.text) for note in notes],
    )
    write_atomically(path, page.encode())


def _faces(rows: Iterable[Row], labels: tuple[str, ...]) -> list[_FaceInTime]:
    grouped: dict[tuple[str, int, bool], list[Row]] = {}
    for row in rows:
        is_person = row.get(PERSON) is not None
        number = int(number_in(row, PERSON if is_person else "track_id"))
        grouped.setdefault((str(row["source"]), number, is_person), []).append(row)
    return [
        _FaceInTime(
            source,
            number,
            is_person,
            np.array([number_in(row, "time_s") for row in group], np.float32),
            np.array(
                [[number_in(row, f"p_{label}") for label in labels] for row in group], np.float32
            ),
            [str(row["shown_label"]) for row in group],
        )
        for (source, number, is_person), group in grouped.items()
    ]


def _durations(times_s: FloatArray) -> FloatArray:
    """(T,) seconds that each moment stands for: until the next one, where that follows soon."""
    if len(times_s) == 1:
        return np.zeros(1, np.float32)
    gaps = np.diff(times_s)
    usual = float(np.median(gaps))
    gaps = np.where(gaps > _MAX_GAP_S, usual if usual <= _MAX_GAP_S else 0.0, gaps)
    return np.append(gaps, min(usual, _MAX_GAP_S)).astype(np.float32)


def _shares(face: _FaceInTime, labels: tuple[str, ...], n_common: int) -> list[dict[str, str]]:
    """Of each label: the share of time it was shown, and its mean probability. The first `n_common`
    and "unsure" share the time in which no later one was shown."""
    durations, shown = _durations(face.times_s), np.array(face.shown)
    is_common = ~np.isin(shown, labels[n_common:])
    means = among_common(face.probs, n_common).mean(axis=0).tolist()
    means += face.probs[:, n_common:].mean(axis=0).tolist()

    def share(label: str, among: NDArray[np.bool_]) -> str:
        total = max(float(durations[among].sum()), 1e-9)
        return f"{100 * float(durations[shown == label].sum()) / total:.1f}"

    rows = [
        {
            "name": tr_label(label),
            "color": expression_hex(label, labels),
            "shown": share(label, is_common if index < n_common else np.ones_like(is_common)),
            "mean": f"{100 * mean:.1f}",
        }
        for index, (label, mean) in enumerate(zip(labels, means, strict=True))
    ]
    unsure = {"name": tr_label(""), "color": expression_hex(""), "shown": share("", is_common)}
    return [*rows[:n_common], {**unsure, "mean": ""}, *rows[n_common:]]


def _timeline(face: _FaceInTime, labels: tuple[str, ...]) -> Markup:
    """Probabilities over time, stacked; nothing where the face was out of view."""
    figure = Figure(figsize=(9, 2.2), layout="constrained")
    axes: Axes = figure.add_subplot()
    step = max(len(face.times_s) // _MAX_POINTS, 1)
    times, probs = face.times_s[::step], face.probs[::step]
    breaks = np.flatnonzero(np.diff(times) > max(_MAX_GAP_S, 3 * step / 30)) + 1
    colors = [expression_hex(label, labels) for label in labels]
    for part in np.split(np.arange(len(times)), breaks):
        if len(part) > 1:
            axes.stackplot(times[part], probs[part].T, colors=colors, linewidth=0)
    axes.set(xlabel=tr("seconds"), ylabel=tr("probability"), ylim=(0, 1))
    axes.spines[["top", "right"]].set_visible(False)
    content = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(content, format="svg", metadata={"Date": None})
    svg = content.getvalue()
    return Markup(svg[svg.index("<svg") :])  # made by matplotlib from numbers alone
