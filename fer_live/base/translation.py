"""The app's texts in the person's language, by gettext catalogues in `locale/`.

Texts are written in English where they are used, as `tr("...")`, and as `tr_n("{n} face", "{n}
faces", n)` where they count. To change a language:
`make translations` collects them into `locale/LANGUAGE/LC_MESSAGES/fer_live.po`; fill that file in
and run it again. A new language begins with `msginit` there and a line in `LANGUAGES`.
"""

import gettext
from pathlib import Path

from fer_live.base.colors import EXPRESSION_COLORS

LANGUAGES = {"en": "English", "ko": "한국어"}
_DOMAIN = "fer_live"
_FOLDER = Path(__file__).parent / "locale"

_translation: gettext.NullTranslations = gettext.NullTranslations()
_code = "en"


def set_language(code: str) -> None:
    """Speak the language with this two-letter code from now on; English where there is none."""
    global _translation, _code
    _translation = gettext.translation(_DOMAIN, _FOLDER, [code], fallback=True)
    _code = code if code in LANGUAGES else "en"


def language() -> str:
    """The two-letter code of the language spoken now."""
    return _code


def tr(message: str, **fields: object) -> str:
    """`message` in the language spoken, its {fields} filled in."""
    translated = _translation.gettext(message)
    return translated.format(**fields) if fields else translated


def tr_n(one: str, several: str, n: int) -> str:
    """`one` or `several`, as `n` and the language spoken want it, with {n} filled in."""
    return _translation.ngettext(one, several, n).format(n=n)


def mark(message: str) -> str:
    """`message` itself: it is only collected for translation here, and translated where shown."""
    return message


_ADVICE = {
    "small": mark("come closer"),
    "turned": mark("face the camera"),
    "dark": mark("turn to the light"),
    "bright": mark("less light, please"),
    "blurred": mark("hold still"),
    "covered": mark("uncover your face"),
    "cut": mark("move into the picture"),
}
QUALITY_REASONS = tuple(_ADVICE)
"""What `quality_reason` can be, besides empty."""


def tr_advice(quality_reason: str) -> str:
    """What a person can do about the `quality_reason` of a face; empty where there is none."""
    return tr(_ADVICE[quality_reason]) if quality_reason in _ADVICE else ""


def tr_label(label: str) -> str:
    """The name of an expression; empty is "unsure". A person's own, and labels of other models, are
    shown as they are."""
    if not label:
        return tr("unsure")
    return tr(label) if label in EXPRESSION_COLORS else label
