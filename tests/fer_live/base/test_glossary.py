"""Korean says each thing in one way; the glossary beside the catalogue tells in which."""

import re
import tomllib
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import fer_live

KOREAN = Path(fer_live.__file__).parent / "base/locale/ko"
GLOSSARY = tomllib.loads((KOREAN / "glossary.toml").read_text(encoding="utf-8"))
WANTED = {
    *("label", "timeline", "capture", "record", "face", "model"),
    *("clip", "take", "marker", "review", "calibrate", "prior"),
}


def pairs() -> list[tuple[str, str]]:
    """Every text, in English without what is filled in, and in Korean."""
    with (KOREAN / "LC_MESSAGES/fer_live.po").open("rb") as file:
        found = [(message.id, message.string) for message in read_po(file) if message.id]
    return [tuple(text if isinstance(text, str) else text[0] for text in pair) for pair in found]  # type: ignore[misc]


def is_said(words: list[str], english: str) -> bool:
    bare = re.sub(r"{[^}]*}", "", english.replace("&", ""))
    return re.search(rf"(?<![/.-])\b({'|'.join(words)})\b", bare, re.IGNORECASE) is not None


def test_every_term_that_matters_is_in_the_glossary():
    assert set(GLOSSARY) >= WANTED


@pytest.mark.parametrize("term", GLOSSARY)
def test_a_term_is_translated_in_one_way(term: str):
    entry = GLOSSARY[term]
    said = [(one, other) for one, other in pairs() if is_said(entry["words"], one)]
    assert said, f"{term} is nowhere in the window"
    others = {
        one: other
        for one, other in said
        if one not in entry["otherwise"] and not re.search(entry["korean"], other)
    }
    assert others == {}


@pytest.mark.parametrize("term", GLOSSARY)
def test_words_that_were_wrong_do_not_come_back(term: str):
    wrong = GLOSSARY[term]["never"]
    assert [other for _, other in pairs() if any(word in other for word in wrong)] == []


@pytest.mark.parametrize("term", GLOSSARY)
def test_an_exception_is_a_text_that_is_there(term: str):
    english = {one for one, _ in pairs()}
    assert set(GLOSSARY[term]["otherwise"]) <= english
