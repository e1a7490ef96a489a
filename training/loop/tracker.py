"""An experiment tracker by option: every line of the log, where TensorBoard can show it."""

from pathlib import Path
from typing import Any, Protocol

from fer_live.errors import InputError

TRACKER_DIR = "tensorboard"


class Tracker(Protocol):
    """Where lines of the log go beside log.jsonl."""

    def add(self, line: dict[str, Any]) -> None:
        """Add a line of the log."""

    def close(self) -> None:
        """Write what is not written yet."""


class NoTracker:
    """Does nothing, as the default."""

    def add(self, line: dict[str, Any]) -> None:
        return

    def close(self) -> None:
        return


class TensorBoard:
    """Writes RUN_DIR/tensorboard/, each number of a line as a curve over the steps.

    A list, such as the thresholds, has a curve for each class. In a run that is resumed, steps that
    were lost with the interruption are taken out of the curves.
    """

    def __init__(self, run_dir: Path, classes: tuple[str, ...], first_step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._classes = classes
        self._writer = SummaryWriter(str(run_dir / TRACKER_DIR), purge_step=first_step or None)

    def add(self, line: dict[str, Any]) -> None:
        for name, value in line.items():
            for title, number in self._curves(name, value):
                self._writer.add_scalar(title, number, line["step"])

    def close(self) -> None:
        self._writer.close()

    def _curves(self, name: str, value: Any) -> list[tuple[str, float]]:
        if isinstance(value, list):
            pairs = zip(self._classes, value, strict=True)
            return [(f"{name}/{label}", number) for label, number in pairs]
        return [] if value is None or name == "step" else [(name, value)]


def check_tracker(name: str) -> None:
    """Raise `InputError` where a config's tracker is not installed, before anything is written."""
    if name == "tensorboard":
        try:
            import torch.utils.tensorboard  # noqa: F401
        except ImportError:
            raise InputError(
                "run.tracker: tensorboard is not installed; pip install 'fer-live[tensorboard]'"
            ) from None


def open_tracker(name: str, run_dir: Path, classes: tuple[str, ...], first_step: int) -> Tracker:
    """Open the tracker of a config, "none" or "tensorboard"."""
    if name == "tensorboard":
        return TensorBoard(run_dir, classes, first_step)
    return NoTracker()
