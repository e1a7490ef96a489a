"""What a timeline tells about one time: the label shown, all percentages, and the markers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from fer_live.base.translation import tr_label
from fer_live.datatypes import FloatArray
from fer_live.outputs.markers import MarkedSpan
from fer_live.painting.overlay import expression_color

_MOST_MARKS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """One time of a face.

    Args:
        when: The time in words.
        shown: The label shown, "" for "unsure"; None where no face was seen.
        labels: Those of the model.
        probs: (C,) what is painted there; None where no face was seen.
        marks: Texts of moments and intervals there.
    """

    when: str
    shown: str | None
    labels: tuple[str, ...]
    probs: FloatArray | None
    marks: Sequence[str]

    def plain(self) -> str:
        """As one line, for a screen reader."""
        shares = (f"{tr_label(label)} {share:.0%}" for label, share in self._shares())
        return ", ".join([self._head(), *shares, *self.marks])

    def rich(self) -> str:
        """As a small table with the colours, for the pointer."""
        rows = "".join(
            f'<tr><td><font color="{expression_color(label, self.labels).name()}">■</font></td>'
            f'<td>{escape(tr_label(label))}&nbsp;</td><td align="right">{share:.0%}</td></tr>'
            for label, share in self._shares()
        )
        marks = "".join(f"<br>▸ {escape(text)}" for text in self.marks)
        return f"<b>{escape(self._head())}</b><table>{rows}</table>{marks}"

    def _head(self) -> str:
        return self.when if self.shown is None else f"{self.when}  {tr_label(self.shown)}"

    def _shares(self) -> list[tuple[str, float]]:
        if self.probs is None:
            return []
        pairs = zip(self.labels, self.probs.tolist(), strict=True)
        return sorted(pairs, key=lambda pair: -pair[1])


def marks_at(marks: Iterable[MarkedSpan], time_s: float, within_s: float) -> list[str]:
    """Texts of the intervals that hold a time, and of the moments near it."""
    texts = [
        span.text
        for span in marks
        if span.holds(time_s) or (not span.is_interval and abs(span.from_s - time_s) <= within_s)
    ]
    return texts[-_MOST_MARKS:]
