"""Installs, runs and removes the Debian package in a bare Debian: `python -m release.bare_root`.

As root; needs debootstrap, xvfb and Debian's packages. The root that debootstrap makes has no
Python. In it the package is installed by apt, and a person without rights runs `fer-live doctor`,
`fer-live analyze` on the demo clip, and the window, on a virtual screen outside. Then it is purged,
and every file that is left beside those of its dependencies is named.

`--picture FILE.png` keeps what the screen showed (with imagemagick).
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from release.debian import PACKAGE, package_path
from release.tools import ReleaseError, command, run

_NEEDED = ("debootstrap", "chroot", "Xvfb")
_SHARED = ("/etc/resolv.conf", "/etc/apt/sources.list.d", "/etc/apt/apt.conf.d")
_SCREEN = ":97"
_SOCKETS = Path("/tmp/.X11-unix")
_WINDOW_S = 8
_LOGS = ("/var/log/", "/var/cache/", "/var/lib/apt/", "/var/lib/dpkg/", "/tmp/", "/home/", "/root/")
"""Where apt and the person keep what is not the package's."""


class BareRoot:
    """A folder with a bare Debian, in which commands are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, person: bool = False) -> str:
        """Run a command in it, as root or as a person without rights; returns its stdout."""
        who = ["--userspec=1000:1000"] if person else []
        home = "/home/person" if person else "/root"
        settings = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": home,
            "DISPLAY": _SCREEN,
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C.UTF-8",
        }
        passed = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
        done = subprocess.run(
            ["chroot", *who, str(self.folder), "env", "-C", home, *words],
            env={**passed, **settings},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            last = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
            raise ReleaseError(f"in the bare root, {' '.join(words)}: {done.returncode}\n{last}")
        return done.stdout

    def files(self) -> set[str]:
        """Every file in it, without those of logs, caches and homes."""
        found = run(
            *("find", self.folder, "-xdev", "-not", "-type", "d", "-printf", "/%P\\n"), quiet=True
        )
        return {line for line in found.splitlines() if not line.startswith(_LOGS)}

    @contextlib.contextmanager
    def mounted(self) -> Iterator[None]:
        """With /proc, /dev and the sockets of the screen."""
        mounts = {
            "/proc": "proc",
            "/dev": "dev",
            "/dev/shm": "dev/shm",
            "/sys": "sys",
            str(_SOCKETS): str(_SOCKETS).lstrip("/"),
        }
        done: list[Path] = []
        try:
            for source, place in mounts.items():
                target = self.folder / place
                target.mkdir(parents=True, exist_ok=True)
                run("mount", "--bind", source, target, quiet=True)
                done.append(target)
            yield
        finally:
            for target in reversed(done):
                run("umount", "--lazy", target, quiet=True)


@contextlib.contextmanager
def bare_root(suite: str, made: Path | None) -> Iterator[BareRoot]:
    """A bare Debian, or a copy of one that debootstrap made before; deleted afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bare-root-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        if made is None:
            run("debootstrap", "--variant=minbase", suite, folder, quiet=True)
        else:
            run("cp", "-a", f"{made}/.", folder, quiet=True)
        for path in map(Path, _SHARED):
            place = folder / str(path).lstrip("/")
            if path.is_dir():
                shutil.copytree(path, place, dirs_exist_ok=True)
            elif path.exists():
                shutil.copyfile(path, place)
        yield BareRoot(folder)
    finally:
        if str(folder) in Path("/proc/mounts").read_text():
            print(f"{folder}: something is mounted there; unmount it, then delete it")
        else:
            shutil.rmtree(folder)


@contextlib.contextmanager
def screen() -> Iterator[None]:
    """A virtual screen outside the root, which anybody may use."""
    server = subprocess.Popen(
        ["Xvfb", _SCREEN, "-ac", "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    socket = _SOCKETS / f"X{_SCREEN[1:]}"
    try:
        while not socket.exists():
            if server.poll() is not None:
                raise ReleaseError(f"Xvfb {_SCREEN} ended with {server.returncode}")
            time.sleep(0.1)
        yield
    finally:
        server.terminate()
        server.wait(10)


def try_app(root: BareRoot, picture: Path | None) -> dict[str, object]:
    """Run what the package brings, as a person; returns what was seen."""
    demo = f"/usr/lib/{PACKAGE}/_internal/fer_live/assets/demo.mp4"
    # Twice the same clip, so that several processes read.
    root.run("cp", demo, "again.mp4", person=True)
    root.run(PACKAGE, "analyze", demo, "again.mp4", "--out", "rows.csv", person=True)
    rows = (root.folder / "home/person/rows.csv").read_text().splitlines()[1:]
    with screen():
        findings = json.loads(root.run(PACKAGE, "doctor", "--json", person=True))
        watcher = _picture_later(picture) if picture else None
        root.run(
            *(PACKAGE, "--demo", "--duration", str(_WINDOW_S), "--stats", "stats.json"), person=True
        )
        if watcher is not None:
            watcher.wait(30)
    if not findings["ok"] or not findings["screen"]["ok"]:
        raise ReleaseError(f"doctor: {findings}")
    stats = json.loads((root.folder / "home/person/stats.json").read_text())
    if not rows or stats["first_overlay_s"] is None:
        raise ReleaseError(f"{len(rows)} rows; window: {stats}")
    return {
        "pipeline": findings["pipeline"]["detail"],
        "rows": len(rows),
        "first_overlay_s": stats["first_overlay_s"],
        "processed": stats["processed"],
    }


def _picture_later(picture: Path) -> "subprocess.Popen[bytes]":
    """The screen, once the window has shown a while."""
    take = f"sleep {_WINDOW_S}; import -window root '{picture}'"
    return subprocess.Popen(["sh", "-c", take], env={**os.environ, "DISPLAY": _SCREEN})


def try_package(package: Path, root: BareRoot, picture: Path | None) -> dict[str, object]:
    """Everything; raises `ReleaseError` where something is not as it must be."""
    with root.mounted():
        before = root.files()
        shutil.copyfile(package, root.folder / "tmp" / package.name)
        root.run("apt-get", "update", "-qq")
        root.run("useradd", "--create-home", "--uid", "1000", "person")
        before |= {"/etc/" + name for name in ("passwd-", "group-", "shadow-", "gshadow-")}
        root.run(
            *("apt-get", "install", "-y", "-qq", "--no-install-recommends"), f"/tmp/{package.name}"
        )
        pythons = [name for name in root.files() if "/bin/python3" in name]
        if pythons:
            raise ReleaseError(f"there is a Python: {pythons}")
        seen = try_app(root, picture)
        root.run("apt-get", "purge", "-y", "-qq", PACKAGE)
        without = root.files()
        names = [name for name in without - before if PACKAGE in name or "fer_live" in name]
        folders = [p for p in ("usr/lib", "usr/share/doc") if (root.folder / p / PACKAGE).exists()]
        root.run("apt-get", "autoremove", "--purge", "-y", "-qq")
        left = sorted(root.files() - before)
    seen |= {"left_by_the_package": [*names, *folders], "left_after_autoremove": left}
    if names or folders:
        raise ReleaseError(f"left behind: {names} {folders}")
    return seen


def main() -> None:
    """Try the package in dist/ and print what was seen as one JSON object."""
    parser = argparse.ArgumentParser(description="try the Debian package in a bare Debian")
    parser.add_argument("--suite", default="bookworm", help="default: bookworm")
    parser.add_argument("--bare", type=Path, help="copy this root, which debootstrap made")
    parser.add_argument("--picture", type=Path, help="a PNG of the window")
    arguments = parser.parse_args()
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        raise ReleaseError(
            f"needs root and {', '.join(missing or _NEEDED)}; sudo apt-get install debootstrap xvfb"
        )
    package = package_path()
    if not package.is_file():
        raise ReleaseError(f"{package}: not there; run make dist first")
    with bare_root(arguments.suite, arguments.bare) as root:
        print(json.dumps(try_package(package, root, arguments.picture), indent=1))


if __name__ == "__main__":
    command(main)
