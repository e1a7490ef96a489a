"""Lets no more than some frames a second through, evenly."""


class RateLimit:
    """Lets everything through until `per_second` is set."""

    def __init__(self) -> None:
        self.per_second: float | None = None
        self._due_s = 0.0

    def lets_through(self, time_s: float) -> bool:
        """Whether the frame of this time is wanted. Frames never come evenly: one that is a little
        early is, and the next is then due as if it had been on time."""
        if self.per_second is None:
            return True
        every_s = 1 / self.per_second
        early_s = self._due_s - time_s
        if every_s / 4 < early_s <= every_s:
            return False
        # Far off is another clock, or a source that paused.
        is_far = abs(early_s) > every_s
        self._due_s = (time_s if is_far else self._due_s) + every_s
        return True
