"""Writes what the self-contained app is made of, as a CycloneDX list of parts (SBOM):
`python -m release.parts`, after `release.folder`.
"""

import json
from pathlib import Path
from typing import Any

from release.contents import BUILD_TOOLS
from release.folder import VENV, folder_name
from release.tools import BUILD, DIST, ROOT, command, environment, python_of, run, script_of


def without_places(parts: dict[str, Any]) -> dict[str, Any]:
    """Without the paths of the machine that it was built on, and without the tools of the build."""
    left_out = {c["bom-ref"] for c in parts["components"] if c["name"].lower() in BUILD_TOOLS}
    parts["components"] = [c for c in parts["components"] if c["bom-ref"] not in left_out]
    parts["dependencies"] = [
        {**d, "dependsOn": [r for r in d.get("dependsOn", []) if r not in left_out]}
        for d in parts.get("dependencies", [])
        if d["ref"] not in left_out
    ]
    for component in parts["components"]:
        component["externalReferences"] = [
            reference
            for reference in component.get("externalReferences", [])
            if not reference["url"].startswith("file:")
        ]
    return parts


def main() -> None:
    """Write dist/NAME.cdx.json."""
    tools = BUILD / "parts-venv"
    environment(tools, "cyclonedx-bom")
    raw = BUILD / "parts.json"
    run(
        *(script_of(tools, "cyclonedx-py"), "environment", "--output-reproducible", "--of", "JSON"),
        *("--pyproject", ROOT / "pyproject.toml", "-o", raw, python_of(VENV)),
        quiet=True,
    )
    parts = without_places(json.loads(raw.read_text()))
    target: Path = DIST / f"{folder_name()}.cdx.json"
    target.write_text(json.dumps(parts, indent=1) + "\n")
    print(f"{target}: {len(parts['components'])} parts")


if __name__ == "__main__":
    command(main)
