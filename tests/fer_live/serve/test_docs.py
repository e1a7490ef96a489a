"""Every command of docs/serve.md, and what can be told of the Dockerfile without Docker."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import pytest

from benchmarks.without_docker import ignored, stages
from fer_live.base.system_libraries import packages
from fer_live.model.assets import asset
from tests.helpers.clips import part_of_demo
from tests.helpers.documentation import ROOT, blocks, commands
from tests.helpers.service import started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the commands name."""
    part_of_demo(tmp_path / "clip.mp4")
    cv2.imwrite(str(tmp_path / "photo.jpg"), cv2.VideoCapture(str(asset("demo.mp4"))).read()[1])
    return tmp_path


def test_every_command_of_the_documentation_runs(folder: Path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    open_one, same, make_token, with_token = commands("serve.md", "sh")
    for command in (open_one, same):
        program, name, *options = command.split()
        assert (program, name) == ("fer-live", "serve")
        serve = [sys.executable, "-m", "fer_live", name, *_on_a_free_port(options)]
        with started(command=serve, token="") as service:
            for asked in commands("serve.md", "curl"):
                _works(asked.replace(":8320/", f":{service.port}/"), folder)
            (script,) = blocks("serve.md", "python")
            done = subprocess.run(
                [sys.executable, "-c", script.replace(":8320/", f":{service.port}/")],
                cwd=folder,
                capture_output=True,
                text=True,
                check=True,
            )
            assert done.stdout.startswith("1 ")
    rows = (folder / "rows.csv").read_text().splitlines()
    assert len(rows) > 9 and rows[1].startswith("clip.mp4,0,")
    subprocess.run(["bash", "-c", make_token], cwd=folder, check=True)
    _, name, *options = with_token.split()
    options = [str(folder / word) if word == "token.txt" else word for word in options]
    serve = [sys.executable, "-m", "fer_live", name, *_on_a_free_port(options)]
    with started(command=serve, token="") as service:
        (asked,) = commands("serve.md", "curl token")
        _works(asked.replace(":8320/", f":{service.port}/"), folder)
        refused = asked.replace("$(cat token.txt)", "x" * 43).replace(":8320/", f":{service.port}/")
        done = subprocess.run(["bash", "-c", refused], cwd=folder, capture_output=True, check=True)
        assert "a token is needed" in done.stdout.decode()


def _on_a_free_port(options: list[str]) -> list[str]:
    return [*options, "--port", "0"]


def _works(command: str, folder: Path) -> None:
    assert command.startswith("curl -s ")
    done = subprocess.run(
        ["bash", "-c", command.replace("curl -s ", "curl -s --fail-with-body ", 1)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout[:300], done.stderr)
    for line in done.stdout.splitlines():
        assert json.loads(line), command


def test_the_documented_limits_are_those_of_the_code():
    from fer_live.serve.limits import Limits

    limits, page = Limits(), (ROOT / "docs/serve.md").read_text()
    for text in (
        f"| {limits.max_mb:g}; refused",
        f"| {limits.max_seconds:g} for reading",
        f"{limits.max_waiting} more may wait",
        f"{limits.max_pixels / 1e6:g} million a picture, {limits.max_frames:,} a clip",
        f"the head within {limits.head_s:g} s; the body within {limits.body_s:g} s",
        f"each {limits.min_bytes_a_second / 1000:g} kB; 64 KB of",
        f"the answer every {limits.stall_s:g} s",
        f"| {limits.max_connections} |",
    ):
        assert text in page, text


def test_the_dockerfile_is_what_the_documentation_says():
    """Its steps are run by `python -m benchmarks.without_docker`."""
    build, service = stages((ROOT / "Dockerfile").read_text())
    assert build.base == service.base == "debian:bookworm-slim"
    steps = dict(service.steps)
    assert steps["USER"] == "10001" and list(steps).index("USER") < list(steps).index("ENTRYPOINT")
    assert "/health" in json.loads(steps["HEALTHCHECK"].partition("CMD ")[2])[2]
    assert json.loads(steps["ENTRYPOINT"])[1:] == ["serve", "--host", "0.0.0.0"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    (extra,) = re.findall(r"/src\[(\w+)\]", dict(build.steps)["RUN"])
    assert extra in extras
    names, is_closed = ignored(ROOT / ".dockerignore")
    assert is_closed and all((ROOT / name).exists() for name in names - {"**/__pycache__"})
    for text in (text for name, text in service.steps if name == "COPY" and "--from" not in text):
        assert (ROOT / text.split()[0]).exists()
    # What Qt does not need without a screen, and MediaPipe and OpenCV do, is named.
    headless = set(packages(headless=True).values())
    needed = {packages()[library] for library in ("libGLESv2.so.2", "libglib-2.0.so.0")}
    assert headless.isdisjoint(needed)
    runs = " ".join(text for name, text in service.steps if name == "RUN")
    assert all(name in runs.split() for name in needed)


def test_the_health_check_tells_a_service_that_is_up_from_one_that_is_not():
    steps = dict(stages((ROOT / "Dockerfile").read_text())[-1].steps)
    script = json.loads(steps["HEALTHCHECK"].partition("CMD ")[2])[2]
    with started() as service:
        up = script.replace(":8320/", f":{service.port}/")
        assert subprocess.run([sys.executable, "-c", up], check=False).returncode == 0
    done = subprocess.run([sys.executable, "-c", up], capture_output=True, check=False)
    assert done.returncode != 0
