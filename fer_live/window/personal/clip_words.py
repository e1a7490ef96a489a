"""What a clip or take is called in the window; commands call it by its folder."""

from datetime import datetime

from PyQt6.QtCore import QDateTime, QLocale

from fer_live.base.translation import language, tr, tr_label
from fer_live.personal.clips import CALIBRATION, ClipSummary
from fer_live.plain_text import plain_line


def title_of(clip: ClipSummary) -> str:
    """For instance "Surprise, take 1" or "holiday.mp4"."""
    if clip.label:
        return tr("{label}, take {n}", label=tr_label(clip.label), n=clip.take)
    if clip.source == CALIBRATION:
        return tr("All sorts of faces")
    return plain_line(clip.source)


def moment(when: datetime) -> str:
    """A date and time as the language spoken writes them, in short."""
    at = QDateTime.fromSecsSinceEpoch(int(when.timestamp()))
    return QLocale(language()).toString(at, QLocale.FormatType.ShortFormat)


def titled_with_moment(clip: ClipSummary) -> str:
    """The title with its time, which tells takes and clips of one name apart."""
    return f"{title_of(clip)} ({moment(clip.began_at)})"
