"""The documentation site: built without a warning, whole, and without anything from elsewhere."""

import functools
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import griffe
import pytest

from fer_live.window.__main__ import as_markdown
from tests.helpers.browser import browser
from tests.helpers.documentation import ROOT
from tests.helpers.made_once import made_once

DOCS = ROOT / "docs"
MAX_WORDS = 25
FIRST_SCREEN_WORDS = 110
NOT_LOADED = ("canonical", "prev", "next", "alternate")
LOADING = ("src", "srcset", "href", "data")
IN_MODELS = {"model_card.md"}
"""Stands within the models' files too, and changes with a model alone."""


def build(folder: Path) -> None:
    """As `make docs` does. With --quiet MkDocs would not count its warnings."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        check=False,
    )
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    return made_once(tmp_path_factory, worker_id, "site", build)


class Loads(HTMLParser):
    """Everything that a browser fetches for a page, and the links of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a":
            self.links.append(values.get("href", ""))
        elif tag != "link" or values.get("rel") not in NOT_LOADED:
            self.loads += [values[name] for name in LOADING if name in values]


def test_a_page_loads_nothing_from_elsewhere(site: Path):
    pages = [*site.rglob("*.html")]
    assert len(pages) > 80
    for page in pages:
        assert [one for one in Loads(page.read_text()).loads if re.match(r"(\w+:)?//", one)] == []
    for style in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import )['\"]?(?:https?:)?//", style.read_text()) == [], style


def test_every_link_within_the_site_leads_somewhere(site: Path):
    """MkDocs looks at the links of Markdown alone, not at those of its theme and mkdocstrings."""
    pages = {page: Loads(page.read_text()) for page in site.rglob("*.html")}
    del pages[site / "404.html"]  # its links begin at the root of a server
    broken = []
    for page, parsed in pages.items():
        for link in parsed.links:
            path, _, anchor = link.partition("#")
            if re.match(r"\w+:", link) or not link:
                continue
            target = (page.parent / path).resolve() if path else page
            if target.is_dir():
                target /= "index.html"
            known = pages.get(target)
            if not target.is_file() or (anchor and known and anchor not in known.ids):
                broken.append(f"{page.relative_to(site)}: {link}")
    assert broken == []


def test_what_is_measured_is_no_part_of_the_site(site: Path):
    assert not [*site.rglob("cells"), *site.rglob("*.safetensors"), *site.rglob("site_hooks.py")]
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) < 25e6


def test_a_browser_shows_a_page_without_a_server_and_its_search_finds(site: Path, tmp_path: Path):
    with browser(tmp_path / "profile") as page:
        page.call("Network.enable")
        page.open((site / "window.html").as_uri())
        page.run("document.querySelector('[for=__search]').click()")
        page.run(
            "(field => { field.focus(); field.value = 'blendshapes';"
            " field.dispatchEvent(new Event('keyup')) })"
            "(document.querySelector('[data-md-component=search-query]'))"
        )
        page.wait_for("document.querySelectorAll('.md-search-result__link').length > 2")
        asked = [url for url in page.requested if not url.startswith(("file:", "data:", "blob:"))]
        assert (asked, page.errors) == ([], [])
        assert len(page.requested) > 5


def test_a_page_is_no_wider_than_a_phone(site: Path, tmp_path: Path):
    names = (
        "index",
        "window",
        "model_card",
        "python",
        "data_out",
        "ko/window",
        "results/small/report",
    )
    with browser(tmp_path / "profile") as page:
        page.show_as(width=390)
        for name in names:
            page.open((site / f"{name}.html").as_uri())
            assert page.run("document.documentElement.scrollWidth") <= 390, name


def first_pages() -> list[Path]:
    """The pages that the site's menu names."""
    named = re.findall(r"^ +- ([\w/]+\.md)$", (ROOT / "mkdocs.yml").read_text(), flags=re.M)
    assert len(named) > 30
    return [DOCS / name for name in named if (DOCS / name).is_file() and name not in IN_MODELS]


@pytest.mark.parametrize("page", first_pages(), ids=lambda page: page.stem)
def test_the_first_screen_has_no_long_sentence(page: Path):
    long = [one for one in sentences(page.read_text()) if len(one.split()) > MAX_WORDS]
    assert long == []


def sentences(text: str) -> list[str]:
    """Those of the first screen: its prose, without tables, code and the targets of links."""
    text = re.sub(r"^ *```.*?^ *```$", "\n\n", text, flags=re.M | re.S)
    text = re.sub(r"^(#|\||!\[|    |:::|<!--).*$", "\n", text, flags=re.M)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"^ *([-*]|\d+\.) ", "\n\n", text, flags=re.M)
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        found += [one for one in re.split(r"(?<=[.!?:;])\s+", paragraph.strip()) if one]
        if sum(len(one.split()) for one in found) > FIRST_SCREEN_WORDS:
            break
    return found


@pytest.mark.parametrize(("language", "page"), [("en", "window.md"), ("ko", "ko/window.md")])
def test_the_table_of_keys_is_that_of_the_window(language: str, page: str):
    """`make tables` writes it anew."""
    try:
        assert as_markdown(language) in (DOCS / page).read_text()
    finally:
        as_markdown("en")


@pytest.mark.parametrize("name", ["../README.md", "first_minutes.md", "window.md"])
def test_a_page_in_korean_has_the_parts_of_the_english_one(name: str):
    korean = DOCS / ("../README.ko.md" if name == "../README.md" else f"ko/{name}")

    def parts(page: Path) -> tuple[list[int], int]:
        text = page.read_text()
        depths = [len(mark) for mark in re.findall(r"^(#+) ", text, flags=re.M)]
        return depths, len(re.findall(r"^\|", text, flags=re.M))

    assert parts(korean) == parts(DOCS / name)
    assert len(re.findall("[가-힣]", korean.read_text())) > 500


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_every_link_of_the_readme_leads_to_a_file(name: str):
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text())
    assert len(links) > 30
    assert [link for link in links if not (ROOT / link).exists()] == []


@functools.cache
def package(name: str) -> griffe.Object:
    """A package as mkdocstrings reads it: without importing it."""
    return griffe.load(name, search_paths=[ROOT])  # type: ignore[return-value]


def documented() -> list[tuple[str, bool]]:
    """The names that pages show by mkdocstrings, and whether with what is in them."""
    pattern = re.compile(r"^::: ([\w.]+)\n(.*members: false)?", flags=re.M)
    return [
        (name, not alone)
        for page in sorted(DOCS.glob("*.md"))
        for name, alone in pattern.findall(page.read_text())
    ]


@pytest.mark.parametrize(("name", "with_members"), documented())
def test_what_the_site_shows_of_the_code_is_whole(name: str, with_members: bool):
    """Every argument and every field has a word, and what is returned too."""
    top, _, rest = name.partition(".")
    shown = package(top)[rest]
    shown = shown.final_target if shown.is_alias else shown
    assert missing(shown, with_members=with_members) == []


def missing(shown: griffe.Object, *, with_members: bool = True) -> list[str]:
    if shown.is_module:
        own = [one for one in shown.members.values() if one.is_class]
        return [gap for one in own for gap in missing(one)]  # type: ignore[arg-type]
    if shown.docstring is None:
        return [f"{shown.path}: nothing"]
    sections = {part.kind.value: part for part in shown.docstring.parse("google")}
    told: set[str] = set()
    for kind in ("parameters", "attributes"):
        if kind in sections:
            told |= {item.name.lstrip("*") for item in sections[kind].value}
    gaps = [f"{shown.path}: {name}" for name in needed(shown) - told]
    if shown.is_function:
        returned = str(shown.returns)
        if returned != "None" and "returns" not in sections:
            gaps.append(f"{shown.path}: what it returns")
        return gaps
    for member in shown.members.values() if with_members else ():
        if member.is_function and not member.name.startswith("_"):
            gaps += missing(member)  # type: ignore[arg-type]
        elif member.is_attribute and "property" in member.labels and member.docstring is None:
            gaps.append(f"{member.path}: nothing")
    return gaps


def needed(shown: griffe.Object) -> set[str]:
    """The arguments of a function; the fields of a dataclass; the arguments of a class."""
    if isinstance(shown, griffe.Function):
        return {one.name.lstrip("*") for one in shown.parameters} - {"self", "cls"}
    assert isinstance(shown, griffe.Class)
    if "dataclass" in shown.labels:
        fields = shown.members.values()
        return {
            one.name
            for one in fields
            if one.is_attribute and "property" not in one.labels and one.docstring is None
        }
    init = shown.members.get("__init__")
    return needed(init) if isinstance(init, griffe.Function) else set()
