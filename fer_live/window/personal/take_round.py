"""One round of single expressions: which is asked for now, and what was recorded of each."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from fer_live.base.translation import tr_label
from fer_live.errors import FerLiveError
from fer_live.personal.takes import TakeStep, discard_unreviewed, keep_take
from fer_live.recording.recorder import Recording
from fer_live.window.personal.takes_check import Shot, faces_of


@dataclass(slots=True)
class TakeRound:
    """Takes of a person, one after the other; kept are those that the person approves of.

    `n_kept` counts the takes of this and earlier passes over the round.
    """

    person: str
    remaining: list[TakeStep]
    n_kept: int = 0
    taken: list[tuple[TakeStep, Recording | None]] = field(default_factory=list)

    @property
    def step(self) -> TakeStep | None:
        """What is asked for now; None once everything was recorded or skipped."""
        return self.remaining[0] if self.remaining else None

    def add(self, recording: Recording | None) -> None:
        """Note what was recorded of the present step, and go on to the next."""
        self.taken.append((self.remaining.pop(0), recording))

    def skip(self) -> None:
        """Go on without a take of the present expression."""
        self.remaining.pop(0)

    def shots(self) -> list[Shot]:
        """A picture of each take, from its middle."""
        shots = []
        for step, recording in self.taken:
            faces = [] if recording is None else faces_of(recording, 1)
            shots.append(Shot(tr_label(step.label), faces[0] if faces else None))
        return shots

    def keep(self, chosen: Sequence[bool]) -> None:
        """Keep the takes that are chosen, delete the others, and ask for those again.

        Raises `FerLiveError` where the disk refuses; what was kept before stays.
        """
        again = []
        for (step, recording), is_chosen in zip(self.taken, chosen, strict=True):
            if is_chosen and recording is not None:
                keep_take(recording, step, self.person)
                self.n_kept += 1
            else:
                again.append(step)
        self.taken, self.remaining = [], again
        drop_unreviewed()


def drop_unreviewed() -> None:
    """Delete the takes that nobody kept; what the disk does not let go of now, the next calibration
    tries again."""
    with contextlib.suppress(FerLiveError):
        discard_unreviewed()
