"""What each face does: its looks as strengths of movements, and when it wears them.

The strengths were found by a random search (cross-entropy method, 88 tries each) for the least
movement that the app's model reads as wanted with the head turned either way; some were then set by
hand, where the moving clip read otherwise.
"""

from dataclasses import dataclass

LOOKS: dict[str, dict[str, dict[str, float]]] = {
    "Collins": {
        "happiness": {},
        "surprise": {
            "inner_brow_raise": 0.4,
            "outer_brow_raise": 0.53,
            "upper_lid_raise": 0.42,
            "jaw_drop": 0.68,
            "lip_pucker": 0.72,
            "lip_corner_pull": -1.0,
        },
    },
    "Washington": {
        "neutral": {},
        "anger": {
            "brow_lower": 0.85,
            "lid_tighten": 0.11,
            "upper_lid_raise": 0.48,
            "nose_wrinkle": 0.63,
            "upper_lip_raise": 0.81,
            "lip_stretch": 0.76,
            "lower_lip_depress": 0.95,
            "jaw_drop": 1.2,
            "lip_pucker": 0.13,
        },
        "happiness": {
            "lip_corner_pull": 1.1,
            "cheek_raise": 0.12,
            "jaw_drop": 0.59,
            "upper_lip_raise": 0.24,
        },
    },
    "Hopper": {
        "neutral": {"lip_corner_pull": 0.2},
        "happiness": {
            "lip_corner_pull": 0.6,
            "cheek_raise": 0.07,
            "jaw_drop": 0.45,
            "upper_lip_raise": 0.14,
        },
        "sadness": {"inner_brow_raise": 0.54, "lip_corner_depress": 0.59, "chin_raise": 0.09},
        "surprise": {
            "inner_brow_raise": 0.8,
            "outer_brow_raise": 0.4,
            "upper_lid_raise": 0.4,
            "jaw_drop": 1.1,
            "lip_pucker": 0.35,
        },
    },
    "Franklin": {
        "neutral": {},
        "surprise": {
            "inner_brow_raise": 0.09,
            "outer_brow_raise": 0.26,
            "jaw_drop": 0.95,
            "lip_pucker": 0.25,
        },
        "happiness": {
            "lip_corner_pull": 1.25,
            "cheek_raise": 0.29,
            "lid_tighten": 0.42,
            "jaw_drop": 0.45,
            "upper_lip_raise": 0.17,
        },
        "sadness": {
            "inner_brow_raise": 1.3,
            "lip_corner_depress": 1.1,
            "chin_raise": 0.22,
            "lid_tighten": 0.27,
        },
    },
}


@dataclass(frozen=True, slots=True)
class Absence:
    """When a person walks out of the tile, and back in."""

    leaves_s: float
    returns_s: float


@dataclass(frozen=True, slots=True)
class Play:
    """What one person does in one round of the clip.

    Args:
        acts: Each look with the second from which it is worn, until the next one.
        blinks: When the eyes begin to close, in seconds.
        absence: When nobody is in the tile.
    """

    acts: tuple[tuple[float, str], ...]
    blinks: tuple[float, ...]
    absence: Absence | None = None


PLAYS = {
    "Collins": Play(
        ((0.0, "happiness"), (7.5, "surprise"), (11.0, "happiness")),
        blinks=(1.9, 6.1, 12.2, 16.9, 21.4),
    ),
    "Washington": Play(
        (
            (0.0, "neutral"),
            (3.4, "anger"),
            (7.0, "neutral"),
            (19.0, "happiness"),
            (22.5, "neutral"),
        ),
        blinks=(1.1, 8.2, 17.6, 23.2),
        absence=Absence(leaves_s=10.0, returns_s=15.0),
    ),
    "Hopper": Play(
        (
            *((0.0, "neutral"), (1.6, "happiness"), (5.6, "neutral"), (9.5, "sadness")),
            *((14.0, "neutral"), (16.5, "surprise"), (20.0, "neutral")),
        ),
        blinks=(0.8, 4.6, 8.4, 15.2, 21.7),
    ),
    "Franklin": Play(
        (
            *((0.0, "neutral"), (4.8, "surprise"), (8.2, "neutral"), (12.0, "happiness")),
            *((16.0, "neutral"), (18.4, "sadness"), (21.4, "neutral")),
        ),
        blinks=(2.8, 9.6, 17.8, 23.4),
    ),
}
