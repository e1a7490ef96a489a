"""A report of what was read, as one HTML page that opens offline."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_live import __version__
from fer_live.base.atomic_file import write_atomically
from fer_live.base.pages.whole_page import label_entries, whole_page
from fer_live.base.translation import tr, tr_label
from fer_live.datatypes import FrameResult
from fer_live.model.head import among_common
from fer_live.outputs.face_rows import Row, face_rows
from fer_live.outputs.markers import MarkedSpan
from fer_live.recording.episodes import Episode, durations, episodes, transitions
from fer_live.recording.faces_in_time import FaceInTime, FacesInTime
from fer_live.recording.history import clock
from fer_live.recording.recorder import Recording
from fer_live.recording.report_marks import Excluded, when
from fer_live.recording.report_pictures import Pictures, report_pictures
from fer_live.recording.report_plot import MAX_POINTS, Plotted, plotted

_MAX_FACES = 20
_EPISODES_AT_FIRST = 12
_MAX_MARKS = 500


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What a report has besides the figures.

    `marks` are moments and intervals. `pictures_from` gives the video of a source, where pictures
    of the faces are wanted. `rows_file` is the name of the file that has every row, to be named.
    """

    own_labels: tuple[str, ...] = ()
    marks: Sequence[MarkedSpan] = ()
    pictures_from: Callable[[str], Path] | None = None
    rows_file: str = ""
    began_at: datetime | None = None


class ReportFile:
    """A `ResultSink` into a report, which is written when it is closed."""

    def __init__(
        self, path: Path, labels: tuple[str, ...], options: ReportOptions = ReportOptions()
    ) -> None:
        self._path, self._labels, self._options = path, labels, options
        self._faces = FacesInTime(labels)
        self._excluded = Excluded(options.marks)

    def write(self, source: str, result: FrameResult) -> None:
        self.append(face_rows(source, result, self._labels))

    def append(self, rows: Iterable[Row]) -> None:
        self._faces.take(self._excluded.without(rows))

    def close(self) -> None:
        faces, n_excluded = self._faces.faces(), self._excluded.n_rows
        _write(self._path, faces, self._labels, self._options, n_excluded)

    def abandon(self) -> Path | None:
        return None


def write_report(
    path: Path,
    rows: Iterable[Row],
    labels: tuple[str, ...],
    options: ReportOptions = ReportOptions(),
) -> None:
    """Write the page, for its owner's eyes alone (mode 600). Raises `OutputError`.

    `rows` are those of CSV and JSONL, and are taken one by one. `own_labels` of the options, the
    last of `labels`, have shares of all the time; those of the others are among themselves, as they
    would be without expressions of one's own. Rows in an interval of `marks` that is called
    "exclude" are left out of everything.
    """
    report = ReportFile(path, labels, options)
    report.append(rows)
    report.close()


def write_recording_report(path: Path, recording: Recording, *, with_pictures: bool) -> None:
    """Write the report of a recording. Raises `OutputError`."""
    about = recording.about
    options = ReportOptions(
        about.own_labels,
        recording.markers(),
        (lambda _: recording.video) if with_pictures else None,
        rows_file="faces.jsonl" if path.parent == recording.folder else "",
        began_at=about.began_at,
    )
    write_report(path, recording.each_row(), about.labels, options)


def _write(
    path: Path,
    faces: list[FaceInTime],
    labels: tuple[str, ...],
    options: ReportOptions,
    n_excluded: int,
) -> None:
    names = {face.source for face in faces}
    drawn = faces[:_MAX_FACES]
    pictures = report_pictures(drawn, options.pictures_from) if options.pictures_from else {}
    keys = [entry["key"] for entry in label_entries(labels)]
    max_points = MAX_POINTS // max(len(drawn), 3)
    curves = [plotted(face, keys, max_points) for face in drawn]
    found = [episodes(face.times_s, face.shown.tolist(), face.confidences) for face in drawn]
    sections = [
        {
            "title": face.name,
            "source": Path(face.source).name if len(names) > 1 else "",
            "seconds": f"{face.seconds:.1f}",
            "shares": _shares(face, labels, len(labels) - len(options.own_labels)),
            "step": _step(curve),
            "episodes": [_episode(e) for e in _longest(one_found)],
            "n_episodes": len(one_found),
            "transitions": _transitions(face, labels),
            "pictures": _pictures(face, labels, pictures),
        }
        for face, curve, one_found in zip(drawn, curves, found, strict=True)
    ]
    began_at = options.began_at
    page = whole_page(
        "fer_live.recording",
        "report",
        _data(drawn, curves, found, labels, options),
        css="\n".join(
            f".l{k} {{ --own: {entry['color']}; }}" for k, entry in enumerate(label_entries(labels))
        ),
        version=__version__,
        made_at=datetime.now().strftime("%Y-%m-%d %H:%M"),
        began_at=began_at.strftime("%Y-%m-%d %H:%M:%S") if began_at else "",
        sources=sorted(Path(name).name for name in names),
        sections=sections,
        labels=[tr_label(label) for label in labels],
        has_own=bool(options.own_labels),
        has_pictures=bool(pictures),
        rows_file=options.rows_file,
        n_left_out=max(len(faces) - _MAX_FACES, 0),
        marks=[(when(mark), mark.text) for mark in options.marks[:_MAX_MARKS]],
        n_marks_left_out=max(len(options.marks) - _MAX_MARKS, 0),
        n_excluded=n_excluded,
    )
    write_atomically(path, page.html.encode(), is_private=True)


def _data(
    faces: Sequence[FaceInTime],
    curves: Sequence[Plotted],
    found: Sequence[Sequence[Episode]],
    labels: tuple[str, ...],
    options: ReportOptions,
) -> dict[str, object]:
    """What the page's script draws. Sources go by number and name: a page that is passed on must
    not tell where the files lie."""
    ends_s: dict[str, float] = {}
    for face in faces:
        ends_s[face.source] = max(ends_s.get(face.source, 0.0), float(face.times_s[-1]))
    keys = [*labels, ""]
    numbers = {source: number for number, source in enumerate(ends_s)}
    return {
        "labels": label_entries(labels),
        "marks": [
            {
                "text": mark.text,
                "from_s": mark.from_s,
                "to_s": mark.to_s,
                "group": numbers.get(mark.source, -1) if mark.source else None,
            }
            for mark in options.marks[:_MAX_MARKS]
        ],
        "faces": [
            {
                "number": face.number,
                "name": face.name,
                "is_person": face.is_person,
                "source": Path(face.source).name,
                "group": numbers[face.source],
                "begin_s": min(0.0, float(face.times_s[0])),
                "end_s": ends_s[face.source],
                "step_s": curve.step_s,
                "times": curve.times_s,
                "probs": curve.probs,
                "shown": curve.shown,
                "confidences": curve.confidences,
                "episodes": [
                    [keys.index(e.label), round(e.begin_s, 3), round(e.end_s, 3), _rounded(e)]
                    for e in one_found
                    if e.label in keys
                ],
            }
            for face, curve, one_found in zip(faces, curves, found, strict=True)
        ],
        "texts": {
            "toggle": tr("Show or hide in the plots"),
            "plot": tr("{name}: probabilities over time; the tables have the figures"),
            "all": tr("Show all {n}"),
            "nothing": tr("nobody in view"),
            "marker": tr("marker {number}: {text}"),
        },
    }


def _rounded(episode: Episode) -> float | None:
    confidence = episode.confidence
    return None if np.isnan(confidence) else round(confidence, 3)


def _shares(face: FaceInTime, labels: tuple[str, ...], n_common: int) -> list[dict[str, str]]:
    """Of each label: the share of time it was shown, its mean probability, and the mean of
    `shown_confidence` while it was shown. The first `n_common` and "unsure" share the time in which
    no later one was shown."""
    seconds, shown = durations(face.times_s), face.shown
    is_common = ~np.isin(shown, labels[n_common:])
    means = among_common(face.probs, n_common).mean(axis=0).tolist()
    means += face.probs[:, n_common:].mean(axis=0).tolist()

    def share(label: str, among: NDArray[np.bool_]) -> str:
        total = max(float(seconds[among].sum()), 1e-9)
        return f"{100 * float(seconds[shown == label].sum()) / total:.1f}"

    def confidence(label: str) -> str:
        known = face.confidences[(shown == label) & ~np.isnan(face.confidences)]
        return f"{100 * float(known.mean()):.1f}" if len(known) else ""

    rows = [
        {
            "name": tr_label(label),
            "color": f"l{index}",
            "shown": share(label, is_common if index < n_common else np.ones_like(is_common)),
            "mean": f"{100 * mean:.1f}",
            "confidence": confidence(label),
        }
        for index, (label, mean) in enumerate(zip(labels, means, strict=True))
    ]
    unsure = {"name": tr_label(""), "color": f"l{len(labels)}", "shown": share("", is_common)}
    return [*rows[:n_common], {**unsure, "mean": "", "confidence": ""}, *rows[n_common:]]


def _step(curve: Plotted) -> str:
    if curve.step_s == 0:
        return tr("The curve has every frame.")
    return tr(
        "Each point of the curve is the mean of {seconds} s, because there are too many frames to "
        "draw; the tables count every frame.",
        seconds=f"{curve.step_s:.2f}",
    )


def _longest(found: Sequence[Episode]) -> list[Episode]:
    longest = sorted(found, key=lambda episode: -episode.length_s)[:_EPISODES_AT_FIRST]
    return sorted(longest, key=lambda episode: episode.begin_s)


def _episode(episode: Episode) -> dict[str, str]:
    sure = episode.confidence
    return {
        "name": tr_label(episode.label),
        "begin": clock(episode.begin_s),
        "end": clock(episode.end_s),
        "length": f"{episode.length_s:.1f}",
        "confidence": "" if np.isnan(sure) else f"{100 * sure:.0f}",
    }


def _transitions(face: FaceInTime, labels: tuple[str, ...]) -> list[dict[str, object]]:
    """A row for each label that another one followed; `counts` of those that did, in order of the
    labels, and how strongly to shade each, 0 to 4."""
    counts = transitions(face.times_s, face.shown.tolist())
    most = max(counts.values(), default=1)
    return [
        {
            "name": tr_label(before),
            "counts": [
                (counts[before, after], -(-4 * counts[before, after] // most)) for after in labels
            ],
        }
        for before in labels
        if any(counts[before, after] for after in labels)
    ]


def _pictures(
    face: FaceInTime, labels: tuple[str, ...], pictures: Pictures
) -> list[tuple[str, str, str]]:
    """Label, its colour's class, and its picture."""
    return [
        (tr_label(label), f"l{index}", pictures[face.source, face.name, label])
        for index, label in enumerate(labels)
        if (face.source, face.name, label) in pictures
    ]
