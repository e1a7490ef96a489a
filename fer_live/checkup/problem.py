"""A report of a problem: one file with the log, the examination, versions and settings.

It holds no picture and no name: what a person chose to be called, and what files they opened, is
left out, and their home folder reads "~".
"""

import importlib.metadata
import json
import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

from fer_live.base.atomic_file import write_atomically
from fer_live.base.home import home
from fer_live.base.log import log_files
from fer_live.base.regular_file import read_whole
from fer_live.base.settings import Settings
from fer_live.checkup.examination import examine, report

_PRIVATE = {"recent_locations", "person", "camera_name", "model", "geometry"}


def problem_report(settings: Settings) -> dict[str, str]:
    """What a report holds: file name -> text. Examines the machine, which takes some seconds."""
    findings = examine()
    kept: dict[str, Any] = settings.model_dump(mode="json", exclude=_PRIVATE)
    kept["model"] = "own" if settings.model else "shipped"
    texts = {
        "examination.txt": report(findings),
        "versions.txt": _versions(),
        "settings.json": json.dumps(kept, indent=2),
    }
    for path in log_files():
        texts[path.name] = read_whole(path).decode(errors="replace")
    return {name: _without_names(text, settings) for name, text in texts.items()}


def save_problem_report(texts: dict[str, str], path: Path) -> None:
    """Write the report as a zip file, in one step. Raises `OutputError`."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    write_atomically(path, content.getvalue())


def _versions() -> str:
    """Every installed package, as `pip freeze` has them."""
    found = {dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}
    return "\n".join(f"{name} {found[name]}" for name in sorted(found, key=str.lower))


def _without_names(text: str, settings: Settings) -> str:
    names = [str(home()), str(Path.home())]
    for name in names:
        text = text.replace(name, "~")
    private = [*settings.recent_locations, settings.model or "", settings.camera_name]
    if settings.person != Settings().person:
        private.append(settings.person)
    for word in filter(None, private):
        for part in {word, Path(word).name}:
            text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "…", text)
    return text
