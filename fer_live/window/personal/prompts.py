"""What a person is asked to do before the camera: a line, and how such a face is made.

How is in the words of everyday, after the action units that the Facial Action Coding System has for
the prototype of each expression (Ekman and Friesen, 1978).
"""

from fer_live.base.translation import mark, tr, tr_label

_ASKED = {
    "neutral": mark("Look as you do when nothing happens"),
    "happiness": mark("Look happy"),
    "surprise": mark("Look surprised"),
    "sadness": mark("Look sad"),
    "anger": mark("Look angry"),
    "disgust": mark("Look disgusted"),
    "fear": mark("Look afraid"),
    "contempt": mark("Look contemptuous"),
}
_HOW = {
    "neutral": mark("Face at rest, mouth closed."),
    "happiness": mark("Corners of the mouth up, cheeks up."),
    "surprise": mark("Brows up, eyes wide, jaw dropped."),
    "sadness": mark("Inner ends of the brows up, corners of the mouth down."),
    "anger": mark("Brows down and together, lips pressed."),
    "disgust": mark("Nose wrinkled, upper lip up."),
    "fear": mark("Brows up and together, eyes wide, mouth stretched."),
    "contempt": mark("One corner of the mouth tight and up."),
}


def how_to_show(label: str) -> str:
    """How a face shows this expression; empty for one of the person's own."""
    how = _HOW.get(label)
    return "" if how is None else tr(how)


def asked_for(label: str) -> str:
    """What is asked for, with the word by which the app calls it."""
    asked = _ASKED.get(label)
    if asked is None:
        return tr("Show: {label}", label=tr_label(label))
    return f"{tr(asked)} ({tr_label(label)})"
