"""A small FER2013 data set that a test makes."""

from pathlib import Path

import numpy as np

from fer_live.model.manifest import EXPRESSIONS

VOTE_HEADER = ["Usage", "Image name", *EXPRESSIONS, "unknown", "NF"]


class FerTree:
    """A small FER2013 folder in the official layout, to be changed by tests before it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[list[str]] = []
        self.votes: list[list[str]] = []

    def add(
        self,
        usage: str,
        expression: str = "happiness",
        *,
        image: np.ndarray | None = None,
        votes: dict[str, int] | None = None,
        emotion: str = "3",
        seed: int = 0,
    ) -> None:
        """One row; without an image, noise whose brightness goes with the expression."""
        if image is None:
            noise = np.random.default_rng(seed).integers(0, 60, (48, 48))
            image = noise + 24 * EXPRESSIONS.index(expression)
        self.rows.append([emotion, " ".join(str(v) for v in image.ravel()), usage])
        counts = votes if votes is not None else {expression: 10}
        self.votes.append([usage, "x.png", *(str(counts.get(n, 0)) for n in VOTE_HEADER[2:])])

    def write(self, *, with_votes: bool = True) -> Path:
        lines = ["emotion,pixels,Usage", *(",".join(row) for row in self.rows)]
        (self.folder / "fer2013.csv").write_text("\n".join(lines) + "\n")
        if with_votes:
            lines = [",".join(VOTE_HEADER), *(",".join(row) for row in self.votes)]
            (self.folder / "fer2013new.csv").write_text("\n".join(lines) + "\n")
        return self.folder
