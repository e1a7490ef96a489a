"""What a person is asked to do before the camera, one short line an expression."""

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


def asked_for(label: str) -> str:
    """What is asked for, with the word by which the app calls it."""
    asked = _ASKED.get(label)
    if asked is None:
        return tr("Show: {label}", label=tr_label(label))
    return f"{tr(asked)} ({tr_label(label)})"
