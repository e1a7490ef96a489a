import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import fer_live
from fer_live.base.translation import set_language, tr, tr_label, tr_n

PACKAGE = Path(fer_live.__file__).parent
CATALOGUE = PACKAGE / "base/locale/ko/LC_MESSAGES/fer_live"
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
KEYWORDS = {"tr": None, "tr_n": (1, 2), "mark": None}


def used() -> set[object]:
    """Texts, and those that count as pairs of one and several."""
    found = extract_from_dir(PACKAGE, METHODS, keywords=KEYWORDS)  # type: ignore[arg-type]
    return {message for _, _, message, _, _ in found if message}


def test_every_text_is_translated_and_none_is_left_over():
    """`make translations` collects new texts."""
    with CATALOGUE.with_suffix(".po").open("rb") as file:
        translated = {m.id: m.string for m in read_po(file) if m.id and m.string and any(m.string)}
    assert used() == set(translated)
    for found, texts in translated.items():
        english, korean = (text if isinstance(text, str) else text[0] for text in (found, texts))
        fields = re.findall(r"{(\w+)[^}]*}", english)
        assert sorted(fields) == sorted(re.findall(r"{(\w+)[^}]*}", korean)), english


def test_the_compiled_catalogue_is_up_to_date():
    with CATALOGUE.with_suffix(".po").open("rb") as file:
        written = {_as_compiled(m.id): _as_compiled(m.string) for m in read_po(file) if m.id}
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = {_as_compiled(m.id): _as_compiled(m.string) for m in read_mo(file) if m.id}
    assert compiled == written


def _as_compiled(text: object) -> object:
    return tuple(text) if isinstance(text, list | tuple) else text


def test_one_and_several_are_told_apart():
    try:
        assert [tr_n("{n} client", "{n} clients", n) for n in (0, 1, 2)] == [
            "0 clients",
            "1 client",
            "2 clients",
        ]
        set_language("ko")
        assert tr_n("{n} client", "{n} clients", 1) == "수신자 1개"
    finally:
        set_language("en")


def test_languages_are_switched_and_unknown_ones_are_english():
    try:
        set_language("ko")
        assert tr("face {number}", number=3) == "얼굴 3"
        assert (tr_label(""), tr_label("happiness")) == ("불확실", "기쁨")
        assert tr_label("smirk") == "smirk"
        assert tr("Settings") != "Settings" and tr_label("Settings") == "Settings", "a name"
        set_language("tlh")
        assert tr_label("happiness") == "happiness"
    finally:
        set_language("en")
