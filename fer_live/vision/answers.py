"""How probabilities are read out of a face: how often, and by which prior."""

from dataclasses import dataclass
from typing import Literal

from fer_live.model.manifest import EVERYDAY

Readings = Literal[1, 2]


@dataclass(frozen=True, slots=True)
class AnswerConfig:
    """How often a face is read, and which expressions are expected.

    Args:
        readings: 2 takes the mean of the probabilities of a face and its mirror image; 1 reads the
            face alone.
        prior: One of the model's priors: everyday (mostly neutral faces, as in the training data)
            or another that it has, such as expressive (every expression is equally likely).
    """

    readings: Readings = 2
    prior: str = EVERYDAY


DEFAULT_ANSWERS = AnswerConfig()
"""What `analyze`, `evaluate` and the window do unless told otherwise."""
