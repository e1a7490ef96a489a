"""What a person agrees to before they are captured; asked once."""

from fer_live.base.translation import tr
from fer_live.personal.clips import clips_folder


def consent_points() -> tuple[str, ...]:
    """What there is to know, point by point."""
    return (
        tr(
            "Captured are pictures of the faces before the camera, and what the model read in them."
        ),
        tr(
            "They stay in {folder}, readable by you alone, until you delete them.",
            folder=clips_folder().parent,
        ),
        tr(
            "Faces cut out of them are deleted with them. A model that learnt from them stays "
            "until you remove it, or delete everything in one step."
        ),
        tr("Nothing is sent anywhere. Capture yourself, or people who have agreed."),
    )


def consent_text() -> str:
    """All of it in one paragraph, for the command line."""
    return " ".join(consent_points())
