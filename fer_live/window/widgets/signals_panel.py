"""Head, eyes and mouth of the followed face, in words and figures."""

import time

from PyQt6.QtWidgets import QFormLayout, QLabel, QWidget

from fer_live.base.translation import tr
from fer_live.datatypes import FaceSignals
from fer_live.window.translated import Translated

_EVERY_S = 0.2
"""Figures that change more often cannot be read."""
_STRAIGHT_DEG = 1.5
_NOTHING = "–"
_OPEN_MOUTH = 0.05
_CLOSED_EYE = 0.12


class SignalsPanel(Translated, QWidget):
    """Shows what is measured of one face; a dash where nothing is."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = {name: (QLabel(), QLabel(_NOTHING)) for name in _NAMES}
        form = QFormLayout(self)
        form.setContentsMargins(14, 4, 14, 14)
        for name, value in self._rows.values():
            form.addRow(name, value)
        self._shown_at_s = 0.0
        self.translate()

    def show_signals(self, signals: FaceSignals | None) -> None:
        """Show these figures, at most five times a second."""
        now_s = time.monotonic()
        if now_s - self._shown_at_s < _EVERY_S:
            return
        self._shown_at_s = now_s
        texts = dict.fromkeys(_NAMES, _NOTHING) if signals is None else texts_of(signals)
        for name, text in texts.items():
            if self._rows[name][1].text() != text:
                self._rows[name][1].setText(text)

    def texts(self) -> dict[str, str]:
        """What is shown now, by the name of its row."""
        return {name: value.text() for name, (_, value) in self._rows.items()}

    def translate(self) -> None:
        titles = {
            "head": tr("Head"),
            "tilt": tr("Tilt"),
            "gaze": tr("Looks"),
            "eyes": tr("Eyes"),
            "blinks": tr("Blinks"),
            "mouth": tr("Mouth"),
        }
        for name, (title, _) in self._rows.items():
            title.setText(titles[name])
        self._shown_at_s = 0.0


_NAMES = ("head", "tilt", "gaze", "eyes", "blinks", "mouth")


def texts_of(signals: FaceSignals) -> dict[str, str]:
    """The rows' texts, in the person's own left and right."""
    yaw, pitch, roll = (float(angle) for angle in signals.head_deg)
    gaze = _turned(*(float(angle) for angle in signals.mean_gaze_deg))
    left, right = (float(opening) > _CLOSED_EYE for opening in signals.eyes_open)
    eyes = {
        (True, True): tr("open"),
        (True, False): tr("right closed"),
        (False, True): tr("left closed"),
        (False, False): tr("closed"),
    }
    blinks = tr("{n}, {rate:.0f} a minute", n=signals.n_blinks, rate=signals.blinks_per_minute)
    return {
        "head": _turned(yaw, pitch) or tr("straight"),
        "tilt": _directed(roll, tr("left"), tr("right")) or tr("upright"),
        "gaze": gaze or tr("into the camera"),
        "eyes": eyes[left, right],
        "blinks": blinks,
        "mouth": tr("open") if signals.mouth_open > _OPEN_MOUTH else tr("closed"),
    }


def _turned(yaw: float, pitch: float) -> str:
    parts = (_directed(yaw, tr("left"), tr("right")), _directed(pitch, tr("up"), tr("down")))
    return ", ".join(filter(None, parts))


def _directed(angle_deg: float, positive: str, negative: str) -> str:
    """For example "12° left"; empty where there is next to nothing."""
    if abs(angle_deg) < _STRAIGHT_DEG:
        return ""
    return f"{abs(angle_deg):.0f}° {positive if angle_deg > 0 else negative}"
