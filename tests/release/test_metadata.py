"""What is said about the project in files of other formats is valid, and says the same."""

import configparser
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fer_live import __version__
from fer_live.commands.cli import COMMANDS
from release.tools import version

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "assets"
METAINFO = ASSETS / "fer-live.metainfo.xml"
PUBLIC = [
    *("CITATION.cff", "SECURITY.md", "CODE_OF_CONDUCT.md", ".pre-commit-config.yaml"),
    *("docs/platforms.md", "Makefile", "pyproject.toml"),
    *(path.relative_to(ROOT).as_posix() for path in (ROOT / ".github").rglob("*.*")),
    *(path.relative_to(ROOT).as_posix() for path in (ROOT / "release").rglob("*.*")),
]


def entry() -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(ASSETS / "fer-live.desktop", encoding="utf-8")
    assert parser.sections() == ["Desktop Entry"]
    return dict(parser["Desktop Entry"])


def release() -> ElementTree.Element:
    found = ElementTree.parse(METAINFO).find("releases/release")
    assert found is not None
    return found


def test_every_file_says_the_one_version():
    citation = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), flags=re.M)
    newest = re.search(r"^## (\S+) - ", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert citation and newest
    assert {version(), citation[1], newest[1], release().get("version")} == {__version__}
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dynamic"]


def test_a_release_has_one_date_in_changelog_and_metadata():
    newest = re.search(r"^## \S+ - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert newest
    if newest[1] == "unreleased":
        assert release().get("type") == "development"
    else:
        assert (release().get("type"), release().get("date")) == ("stable", newest[1])


def test_the_citation_names_nobody_who_is_not_there():
    text = (ROOT / "CITATION.cff").read_text()
    assert "cff-version: 1.2.0" in text and "license: GPL-3.0-or-later" in text
    assert re.findall(r"^  - (?:name|family-names): (.+)$", text, flags=re.M) == [
        "FER Live contributors"
    ]


def test_the_desktop_entry_starts_the_command_and_is_that_of_the_window():
    found = entry()
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert found["Exec"] in scripts
    assert (ASSETS / "icon.svg").is_file() and found["Icon"] == "fer-live"
    assert f'setDesktopFileName("{found["StartupWMClass"]}")' in (
        ROOT / "fer_live/window/app.py"
    ).read_text(encoding="utf-8")


def test_the_desktop_entry_is_valid():
    if shutil.which("desktop-file-validate") is None:
        pytest.skip("desktop-file-validate is not here (apt-get install desktop-file-utils)")
    done = subprocess.run(
        ["desktop-file-validate", ASSETS / "fer-live.desktop"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_metadata_for_software_centres_is_valid():
    if shutil.which("appstreamcli") is None:
        pytest.skip("appstreamcli is not here (apt-get install appstream)")
    done = subprocess.run(
        ["appstreamcli", "validate", "--no-net", "--pedantic", METAINFO],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_metadata_and_entry_say_the_same():
    tree = ElementTree.parse(METAINFO)
    assert tree.findtext("launchable") == "fer-live.desktop"
    assert tree.findtext("name") == entry()["Name"]
    assert tree.findtext("summary") == entry()["Comment"]
    categories = [element.text for element in tree.findall("categories/category")]
    assert categories == entry()["Categories"].rstrip(";").split(";")


def test_the_manual_page_names_every_command():
    page = (ROOT / "release/debian/fer-live.1").read_text()
    listed = page.partition(".SH COMMANDS")[2].partition(".SH OPTIONS")[0]
    assert re.findall(r"^\.B (\w+)$", listed, flags=re.M) == [
        command.__name__.rpartition(".")[2] for command in COMMANDS
    ]


@pytest.mark.parametrize("name", sorted(set(PUBLIC)))
def test_nothing_public_names_a_machine_or_a_person(name: str):
    if "__pycache__" in name:
        pytest.skip("not in git")
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"/root/\w|/Users/|/home/(?!person|fer-live)\w", text)
    assert re.findall(r"[\w.-]+@[\w-]+\.\w+", text) == []


def test_the_workflows_call_the_one_script_on_three_systems():
    text = (ROOT / ".github/workflows/check.yml").read_text()
    assert "run: bash .ci/run" in text
    for system in ("ubuntu", "windows", "macos"):
        assert system in text and system in (ROOT / ".github/workflows/dist.yml").read_text()


def test_pre_commit_runs_what_the_makefile_runs():
    recipe = (ROOT / "Makefile").read_text().partition("\ntest:")[2].partition("\n\n")[0]
    checks = re.findall(r"^\t\$\(BIN\)/(.+)$", recipe, flags=re.M)
    hooks = re.findall(
        r"^        entry: \.venv/bin/(.+)$",
        (ROOT / ".pre-commit-config.yaml").read_text(),
        flags=re.M,
    )
    assert hooks == [check for check in checks if not check.startswith("python")]


def test_the_list_of_parts_names_no_place_of_the_building_machine():
    from release.parts import without_places

    def component(name: str, *urls: str) -> dict[str, object]:
        references = [{"type": "distribution", "url": url} for url in urls]
        return {"bom-ref": name, "name": name, "externalReferences": references}

    parts = {
        "components": [
            component("fer-live", "file:///builder/fer_live.whl", "https://example.org"),
            component("pyinstaller"),
        ],
        "dependencies": [
            {"ref": "fer-live", "dependsOn": ["pyinstaller"]},
            {"ref": "pyinstaller"},
        ],
    }
    found = json.dumps(without_places(parts))
    assert "builder" not in found and "pyinstaller" not in found and "example.org" in found


def test_every_target_of_the_makefile_that_makes_no_file_is_phony():
    """`make dist` did nothing once there was a folder `dist`."""
    text = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    phony = set(re.findall(r"^\.PHONY:(.*)$", text, flags=re.M)[0].split())
    assert phony == set(re.findall(r"^([a-z][\w-]*):", text, flags=re.M))
