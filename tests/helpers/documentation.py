"""What stands in the code blocks of the pages of the documentation, and the commands among it."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

SHELL_MARKS = ("sh", "bash", "curl", "curl token", "docker", "slurm", "parallel")
"""Marks of blocks of which every line is a command; `sh` is run by a test."""

PROGRAMS = ("fer-live", "fer-train", "fer-export", "make", "pip", "python", "python3", "torchrun")
"""What begins a command in a block without a mark, in an indented one, and within a line."""

_PROGRAM = re.compile(r"^# all of (examples/\S+)$", flags=re.M)
_BLOCK = re.compile(r"^ *```([^\n`]*)\n(.*?)^ *```$", flags=re.M | re.S)
_INLINE = re.compile(rf"(?<!`)`((?:{'|'.join(PROGRAMS)}) [^`]+)`(?!`)")


@dataclass(frozen=True, slots=True)
class Shown:
    """A command that a page shows.

    `where` is its page within the project; `mark` that of its block, "inline" within a line of
    text. `words` are what a shell makes of it, without a comment and without variables that are
    set for it.
    """

    where: str
    mark: str
    line: str
    words: tuple[str, ...]


def pages() -> list[Path]:
    """The README, the top's other pages, and every page of docs/, but reports and decisions."""
    docs = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/ko").glob("*.md")]
    return [*sorted(ROOT.glob("*.md")), *sorted(docs), *sorted((ROOT / "docs/released").glob("*"))]


def blocks(page: str, kind: str) -> list[str]:
    """The blocks of docs/`page` that are marked as `kind`, in their order, without their indent.

    Where a block says `# all of examples/FILE`, that file stands in its place.
    """
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [_whole(block) for mark, block in _BLOCK.findall(text) if mark.strip() == kind]


def commands(page: str, kind: str) -> list[str]:
    """Every line of those blocks."""
    return [line for block in blocks(page, kind) for line in block.splitlines() if line.strip()]


def shown_commands() -> list[Shown]:
    """Every command of every page, in blocks and within lines."""
    found = []
    for page in pages():
        if page.suffix == ".md" and page.name != "CHANGELOG.md":
            text = page.read_text(encoding="utf-8")
            found += _in_blocks(page, text)
            found += _in_text(page, _BLOCK.sub("", text))
    return found


def _in_blocks(page: Path, text: str) -> Iterator[Shown]:
    for mark, block in _BLOCK.findall(text):
        kind = mark.strip()
        if kind not in (*SHELL_MARKS, ""):
            continue
        for line in _whole(block).replace("\\\n", " ").splitlines():
            shown = _shown(page, kind, line)
            if shown.words and (kind or shown.words[0] in PROGRAMS):
                yield shown


def _in_text(page: Path, text: str) -> Iterator[Shown]:
    for line in re.findall(rf"^    ((?:{'|'.join(PROGRAMS)}) .*)$", text, flags=re.M):
        yield _shown(page, "", line)
    for line in _INLINE.findall(text):
        yield _shown(page, "inline", " ".join(line.split()))


def _shown(page: Path, mark: str, line: str) -> Shown:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # no command: an apostrophe of JSON or text
        words = []
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        del words[0]
    return Shown(str(page.relative_to(ROOT)), mark, line.strip(), tuple(words))


def _whole(block: str) -> str:
    """A block without its indent, with the files that it names."""
    return _PROGRAM.sub(
        lambda match: (ROOT / match[1]).read_text(encoding="utf-8").rstrip(),
        textwrap.dedent(block),
    )
