"""What the documentation site has beside the pages of docs/, for MkDocs.

The top's own pages (ARCHITECTURE.md, CHANGELOG.md, CONTRIBUTING.md) are pages of the site too, and
so is each file of the project that a page links to, such as a config or a method.
"""

import posixpath
import re
import textwrap
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
TOP_PAGES = {"ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"}
LANGUAGES = {".py": "python", ".toml": "toml", ".json": "json", ".yml": "yaml", ".ipynb": "json"}
SHELL = ("sh", "curl", "docker", "slurm", "parallel")
"""First words of a code block's mark whose lines a shell reads; others than `sh` are the tests'."""

_LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
_PROGRAM = re.compile(r"^( *)# all of (examples/\S+)$", flags=re.M)
"""A line of a code block in whose place the whole file stands."""
_FENCE = re.compile(r"^( *```)(\w+)[^\n`]*$", flags=re.M)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in docs/."""
    files.append(_from(config, "icon.svg", ROOT / "assets/icon.svg"))
    for name in sorted(TOP_PAGES):
        files.append(_from(config, name.lower(), ROOT / name))
    linked: set[str] = set()
    for file in files.documentation_pages():
        home = _home(file.src_uri)
        for _, target, _, _ in _LINK.findall(file.content_string):
            linked |= {_in_project(home, target)} - {""}
    for path in sorted(linked):
        uri = _uri(path)
        if uri and files.get_file_from_path(uri) is None:
            files.append(File.generated(config, uri, content=_shown(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make links of the project links of the site, and marks of code blocks plain languages; put
    programs where pages name them."""
    home, uri = _home(page.file.src_uri), page.file.src_uri

    def link(match: re.Match[str]) -> str:
        path = _in_project(home, match[2])
        target = _uri(path) if path else ""
        if not target:
            return match[0]
        relative = posixpath.relpath(target, posixpath.dirname(uri) or ".")
        return f"{match[1]}{relative}{match[3] or ''}{match[4]}"

    def fence(match: re.Match[str]) -> str:
        return match[1] + ("sh" if match[2] in SHELL else match[2])

    def program(match: re.Match[str]) -> str:
        return textwrap.indent((ROOT / match[2]).read_text(encoding="utf-8").rstrip(), match[1])

    if uri.startswith("results/"):
        markdown = markdown.replace(" ± ", "\u00a0±\u00a0")  # a figure stays on one line
    return _PROGRAM.sub(program, _FENCE.sub(fence, _LINK.sub(link, markdown)))


def on_post_build(config: MkDocsConfig) -> None:
    """Take the one script that the `offline` plugin loads from elsewhere from this site instead."""
    site = Path(config.site_dir)
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        own = "../" * (len(page.relative_to(site).parts) - 1) + "iframe-worker.js"
        page.write_text(text.replace("https://unpkg.com/iframe-worker/shim", own), encoding="utf-8")


def _from(config: MkDocsConfig, uri: str, path: Path) -> File:
    return File.generated(config, uri, abs_src_path=str(path))


def _home(uri: str) -> str:
    """The folder of the project, as a path with slashes, that a page's links are relative to."""
    if uri.upper().removesuffix(".MD") + ".md" in TOP_PAGES:
        return ""
    return posixpath.dirname(f"docs/{uri}")


def _in_project(home: str, target: str) -> str:
    """The file or folder of the project that a link leads to; empty for other links."""
    if ":" in target or target.startswith("/"):
        return ""
    path = posixpath.normpath(posixpath.join(home, target))
    return path if not path.startswith("..") and (ROOT / path).exists() else ""


def _uri(path: str) -> str:
    """Where the site has a file or folder of the project."""
    if path in TOP_PAGES:
        return path.lower()
    if (ROOT / path).is_dir():
        return f"{path.removeprefix('docs/')}/index.md" if path.startswith("docs/") else ""
    if path.startswith("docs/") and not path.endswith(".py"):
        return path.removeprefix("docs/")
    return f"source/{path}.md"


def _shown(path: str) -> str:
    """A page of a file of the project, or of what a folder has."""
    file = ROOT / path
    if file.is_dir():
        names = sorted(one.name for one in file.iterdir() if one.is_file())
        return f"# {path}\n\n" + "\n".join(f"- [{name}]({name})" for name in names) + "\n"
    text = file.read_text(encoding="utf-8").rstrip()
    if len(text) > 60_000:
        text = f"{text[:60_000]}\n..."
    return f"# {path}\n\n````{LANGUAGES.get(file.suffix, 'text')}\n{text}\n````\n"
