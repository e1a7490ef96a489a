"""Tries the Dockerfile where there is no Docker: `python -m benchmarks.without_docker`, as root.

Each stage becomes a bare Debian made by debootstrap, each step is run in it by chroot, and then the
service is started in it as the user that the file names, asked for its health by the file's own
health check, given a clip, and ended. Takes some minutes and two gigabytes, and needs Debian's and
PyPI's packages. What a chroot does not show: Docker's own build, layers, networks and limits.
"""

import argparse
import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fer_live.model.assets import asset

ROOT = Path(__file__).parents[1]
SUITES = {"debian:bookworm-slim": "bookworm"}
_PASSED_ON = ("PIP_",)
_SHARED = ("/etc/resolv.conf", "/etc/pip.conf", "/etc/apt/sources.list.d")
_AUTHORITIES = "/etc/authorities-of-this-machine.crt"
"""Not in /etc/ssl/certs, which the steps may install anew."""


@dataclass(slots=True)
class Stage:
    """One FROM of a Dockerfile and what follows it."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def stages(dockerfile: str) -> list[Stage]:
    """The stages of a Dockerfile with their instructions, as (name, text)."""
    found: list[Stage] = []
    joined = dockerfile.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    for line in lines:
        name, _, text = line.strip().partition(" ")
        if name == "FROM":
            base, _, alias = text.partition(" AS ")
            found.append(Stage(base, alias or str(len(found))))
        else:
            found[-1].steps.append((name, text.strip()))
    return found


def ignored(pattern_file: Path) -> "tuple[set[str], bool]":
    """The names that a .dockerignore of the form "nothing but" lets in."""
    lines = pattern_file.read_text().splitlines()
    return {line[1:] for line in lines if line.startswith("!")}, "*" in lines


class Build:
    """The stages, built below a folder."""

    def __init__(self, folder: Path, bound: list[Path]) -> None:
        self._folder, self._bound = folder, bound
        self._bare: dict[str, Path] = {}

    def build(self, stage: Stage) -> Path:
        """Make a bare root and run the stage's steps in it; returns the root."""
        root = self._folder / f"stage-{stage.name}"
        _copy_tree(self._bare_root(stage.base), root)
        for name, text in stage.steps:
            print(f"{stage.name}: {name} {text}", flush=True)
            if name == "RUN":
                self.run(root, text)
            elif name == "COPY":
                self._copy(root, text)
        return root

    def run(self, root: Path, command: str) -> None:
        """One RUN step, as root."""
        with self.mounted(root):
            subprocess.run(
                ["chroot", str(root), "/bin/sh", "-c", command], env=_environment(), check=True
            )

    @contextlib.contextmanager
    def mounted(self, root: Path) -> Iterator[None]:
        """/proc, /dev and what packages are installed from."""
        mounts = [("/proc", root / "proc"), ("/dev", root / "dev")]
        mounts += [(str(path), root / str(path).lstrip("/")) for path in self._bound]
        for _, place in mounts:
            place.mkdir(parents=True, exist_ok=True)
        for source, place in mounts:
            subprocess.run(["mount", "--bind", source, str(place)], check=True)
        try:
            yield
        finally:
            for _, place in reversed(mounts):
                subprocess.run(["umount", "--lazy", str(place)], check=True)

    def _bare_root(self, base: str) -> Path:
        if base not in self._bare:
            root = self._folder / "bare"
            suite = SUITES[base]
            print(f"debootstrap {suite}", flush=True)
            command = ["debootstrap", "--variant=minbase", suite, str(root)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            for path in map(Path, _SHARED):
                place = root / str(path).lstrip("/")
                if path.is_dir():
                    shutil.copytree(path, place, dirs_exist_ok=True)
                elif path.exists():
                    shutil.copyfile(path, place)
            if authorities := os.environ.get("SSL_CERT_FILE"):
                shutil.copyfile(authorities, root / _AUTHORITIES.lstrip("/"))
            self._bare[base] = root
        return self._bare[base]

    def _copy(self, root: Path, text: str) -> None:
        *options, source, target = text.split()
        place = root / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        of_stage = [option.removeprefix("--from=") for option in options]
        if of_stage:
            origin = self._folder / f"stage-{of_stage[0]}" / source.lstrip("/")
            _copy_tree(origin, place)
        elif source == ".":
            names, is_closed = ignored(ROOT / ".dockerignore")
            assert is_closed, "the .dockerignore has to begin with *"
            for name in names:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, place / name)
                else:
                    place.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(ROOT / name, place / name)
        else:
            shutil.copyfile(ROOT / source, place)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder that is deleted, unless something of this machine is still mounted below it, which
    would be deleted with it."""
    folder = Path(tempfile.mkdtemp(prefix="without-docker-", dir="/var/tmp"))
    try:
        yield folder
    finally:
        if str(folder) in Path("/proc/mounts").read_text():
            print(f"{folder}: something is mounted there; unmount it, then delete it")
        else:
            shutil.rmtree(folder)


def _copy_tree(source: Path, target: Path) -> None:
    """With owners, links and devices, which Python's own copying would read."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def _environment() -> dict[str, str]:
    passed = {k: v for k, v in os.environ.items() if k.startswith(_PASSED_ON)}
    if "SSL_CERT_FILE" in os.environ:
        passed |= dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT"), _AUTHORITIES)
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**passed, "PATH": path, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def try_service(build: Build, root: Path, stage: Stage) -> dict[str, object]:
    """Start what the file starts, as its user; what was seen."""
    steps = dict(stage.steps)
    assert steps["USER"] not in ("root", "0"), "the service must not be root"
    token = secrets.token_urlsafe(16)
    environment = {"FER_LIVE_TOKEN": token, "PATH": "/usr/sbin:/usr/bin:/bin"}
    environment |= dict(text.split("=", 1) for name, text in stage.steps if name == "ENV")
    as_user = ["chroot", f"--userspec={steps['USER']}:{steps['USER']}", str(root)]
    check = json.loads(steps["HEALTHCHECK"].partition("CMD ")[2])
    began_s = time.monotonic()
    with build.mounted(root):
        entry = json.loads(steps["ENTRYPOINT"])
        service = subprocess.Popen([*as_user, *entry], env=environment)
        try:
            while subprocess.run(
                [*as_user, *check], capture_output=True, env=environment
            ).returncode:
                assert service.poll() is None, f"it ended with {service.returncode}"
                assert time.monotonic() - began_s < 120, "it does not get healthy"
                time.sleep(0.5)
            healthy_s = time.monotonic() - began_s
            status = Path(f"/proc/{service.pid}/status").read_text()
            uid = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid"))
            answer = _post(asset("demo.mp4").read_bytes(), token)
        finally:
            ends_s = time.monotonic()
            service.terminate()
            code = service.wait(30)
    return {
        "uid": int(uid),
        "healthy_after_s": round(healthy_s, 1),
        "frames": answer["frames"],
        "faces": answer["faces"],
        "ended_after_s": round(time.monotonic() - ends_s, 1),
        "exit_code": code,
    }


def _post(content: bytes, token: str) -> dict[str, object]:
    request = urllib.request.Request(
        "http://127.0.0.1:8320/analyze", content, {"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        told: dict[str, object] = json.loads(answer.read())
    return told


def main() -> int:
    """Build every stage, try the last one, and print what was seen as one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--bind", type=Path, action="append", default=[], help="a folder that pip installs from"
    )
    arguments = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        print("needs root and debootstrap (apt-get install debootstrap)", file=sys.stderr)
        return 2
    found = stages((ROOT / "Dockerfile").read_text())
    with _folder() as folder:
        build = Build(folder, arguments.bind)
        roots = [build.build(stage) for stage in found]
        seen = try_service(build, roots[-1], found[-1])
        size = subprocess.run(["du", "-sm", str(roots[-1])], capture_output=True, text=True)
        seen["size_mb"] = int(size.stdout.split()[0])
    print(json.dumps(seen))
    return 0 if seen["exit_code"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
