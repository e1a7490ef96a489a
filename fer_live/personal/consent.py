"""What a person agrees to before they are captured; asked once."""

from fer_live.base.translation import tr
from fer_live.personal.clips import clips_folder


def consent_text() -> str:
    """For the command line and the window."""
    return tr(
        "Captured are pictures of the faces before the camera, with what the model read in them. "
        "They stay in {folder}, readable by you alone, until you delete them. Faces that a "
        "retraining cut out of them are deleted with them; a model that was installed stays until "
        "you remove it. Nothing is sent anywhere. Capture yourself, or people who have agreed.",
        folder=clips_folder().parent,
    )
