"""Builds the Debian package from the self-contained folder: `python -m release.debian`.

Needs dpkg-deb and dpkg-shlibdeps (dpkg-dev); lintian where it is there. No root. The package is the
folder in /usr/lib/fer-live, a link in /usr/bin, and what a desktop reads: entry, icon, AppStream
metadata, manual page. It runs nothing when it is installed or removed.

DEBFULLNAME and DEBEMAIL, as Debian's own tools read them, say who builds it.
"""

import gzip
import os
import shutil
import subprocess
import sys
import textwrap
from email.utils import formatdate
from pathlib import Path

from release.folder import folder_name
from release.tools import BUILD, DIST, ROOT, ReleaseError, command, megabytes, run, version

PACKAGE = "fer-live"
ARCHITECTURE = "amd64"
_ROOT = BUILD / "debian"
_HERE = Path(__file__).parent / "debian"
_NEEDED = ("dpkg-deb", "dpkg-shlibdeps", "strip")


def maintainer() -> str:
    """Who builds the package."""
    name = os.environ.get("DEBFULLNAME", "FER Live contributors")
    return f"{name} <{os.environ.get('DEBEMAIL', 'fer-live@localhost')}>"


def control(depends: str, installed_kb: int) -> str:
    """The package's control file."""
    description = (
        "FER Live reads the expression of every face in a camera, a clip or a stream, on an "
        "ordinary processor, and shows it live. It records, reviews, exports reports, fits its "
        "model to one person, and sends data to other programs where that is switched on."
    )
    self_contained = (
        "This package is self-contained: it brings its own Python and libraries. It runs on the "
        "processor; CUDA and training need an installation by pip."
    )
    lines = [
        f"Package: {PACKAGE}",
        f"Version: {debian_version()}",
        f"Architecture: {ARCHITECTURE}",
        f"Maintainer: {maintainer()}",
        f"Installed-Size: {installed_kb}",
        f"Depends: {depends}",
        "Recommends: xdg-utils",
        "Suggests: fonts-nanum, v4l2loopback-dkms",
        "Section: video",
        "Priority: optional",
        "Description: reads facial expressions from a webcam in real time",
        *textwrap.wrap(description, 76, initial_indent=" ", subsequent_indent=" "),
        " .",
        *textwrap.wrap(self_contained, 76, initial_indent=" ", subsequent_indent=" "),
    ]
    return "\n".join(lines) + "\n"


def debian_version() -> str:
    """The version of the package: the app's, packed for the first time."""
    return f"{version()}-1"


def changelog() -> str:
    """What changed in the packaging, in Debian's own format."""
    return (
        f"{PACKAGE} ({debian_version()}) unstable; urgency=medium\n\n"
        f"  * FER Live {version()}; what is new in it is in changelog.gz.\n\n"
        f" -- {maintainer()}  {formatdate()}\n"
    )


def package_path() -> Path:
    """Where the package is built."""
    return DIST / f"{PACKAGE}_{debian_version()}_{ARCHITECTURE}.deb"


def lay_out(folder: Path, root: Path) -> None:
    """Everything of the package below `root`, as it will lie on a machine."""
    shutil.rmtree(root, ignore_errors=True)
    app = root / "usr/lib" / PACKAGE
    app.parent.mkdir(parents=True)
    shutil.copytree(folder, app, symlinks=True)
    (app / "LICENSE").unlink()  # /usr/share/doc says it
    for cache in list(app.rglob("__pycache__")):
        shutil.rmtree(cache)
    share = root / "usr/share"
    for source, place in {
        ROOT / "assets/fer-live.desktop": share / "applications",
        ROOT / "assets/icon.svg": share / "icons/hicolor/scalable/apps",
        ROOT / "assets/fer-live.metainfo.xml": share / "metainfo",
        _HERE / "copyright": share / "doc" / PACKAGE,
        _HERE / "lintian-overrides": share / "lintian/overrides",
    }.items():
        place.mkdir(parents=True)
        shutil.copyfile(source, place / source.name)
    (share / "icons/hicolor/scalable/apps/icon.svg").rename(
        share / "icons/hicolor/scalable/apps/fer-live.svg"
    )
    (share / "lintian/overrides/lintian-overrides").rename(share / "lintian/overrides" / PACKAGE)
    _gzip((_HERE / "fer-live.1").read_bytes(), share / "man/man1/fer-live.1.gz")
    doc = share / "doc" / PACKAGE
    _gzip((ROOT / "CHANGELOG.md").read_bytes(), doc / "changelog.gz")
    _gzip(changelog().encode(), doc / "changelog.Debian.gz")
    link = root / "usr/bin" / PACKAGE
    link.parent.mkdir()
    link.symlink_to(f"../lib/{PACKAGE}/{PACKAGE}")
    _set_modes(root)


def dependencies(root: Path) -> str:
    """What the package's programs load from the system, as packages with their least versions."""
    app = root / "usr/lib" / PACKAGE
    binaries = [app / PACKAGE, *(p for p in app.rglob("*.so*") if not p.is_symlink())]
    folders = sorted({path.parent for path in binaries})
    work = BUILD / "shlibdeps"
    (work / "debian").mkdir(parents=True, exist_ok=True)
    (work / "debian/control").write_text(
        f"Source: {PACKAGE}\n\nPackage: {PACKAGE}\nArchitecture: {ARCHITECTURE}\n"
    )
    said = run(
        *("dpkg-shlibdeps", "-O", "--ignore-missing-info", "--warnings=0"),
        *(f"-l{folder}" for folder in folders),
        *(f"-e{path}" for path in binaries),
        cwd=work,
        quiet=True,
    )
    found = said.strip().removeprefix("shlibs:Depends=")
    # The window also looks for libraries that some releases of Qt load and others do not.
    named = {part.split()[0] for part in found.split(", ")}
    listed = (ROOT / "fer_live/base/system_packages.txt").read_text().splitlines()
    more = {line.split()[1] for line in listed if not line.startswith("#")} - named
    return ", ".join([found, *sorted(more)])


def build(folder: Path) -> Path:
    """Make the package; returns it."""
    lay_out(folder, _ROOT)
    kilobytes = int(run("du", "-sk", "--apparent-size", _ROOT, quiet=True).split()[0])
    (_ROOT / "DEBIAN").mkdir()
    (_ROOT / "DEBIAN/control").write_text(control(dependencies(_ROOT), kilobytes))
    sums = run(
        "sh", "-c", "find usr -type f -print0 | sort -z | xargs -0 md5sum", cwd=_ROOT, quiet=True
    )
    (_ROOT / "DEBIAN/md5sums").write_text(sums)
    package = package_path()
    run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", _ROOT, package, quiet=True)
    return package


def check(package: Path) -> None:
    """Lintian's errors fail; its warnings are shown."""
    if shutil.which("lintian") is None:
        print("lintian is not installed; the package was not checked")
        return
    # Lintian will not run as root unasked.
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error", str(package)],
        capture_output=True,
        text=True,
    )
    print(done.stdout.strip() or "lintian: nothing to say")
    if done.returncode:
        raise ReleaseError(f"{package}: lintian found errors\n{done.stderr.strip()}")


def _gzip(content: bytes, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(gzip.compress(content, 9, mtime=0))


def _set_modes(root: Path) -> None:
    """Folders and the program may be run, files may be read, by everybody."""
    program = root / "usr/lib" / PACKAGE / PACKAGE
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path == program else 0o644)


def main() -> None:
    """Build and check the package."""
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing or not sys.platform.startswith("linux"):
        raise ReleaseError(
            f"the Debian package needs {', '.join(missing) or 'Linux'}; on Debian and Ubuntu: "
            "sudo apt-get install dpkg-dev binutils lintian"
        )
    folder = DIST / folder_name()
    if not folder.is_dir():
        raise ReleaseError(f"{folder}: not there; run python -m release.folder first")
    package = build(folder)
    print(f"{package}: {megabytes(package)} MB")
    check(package)


if __name__ == "__main__":
    command(main)
