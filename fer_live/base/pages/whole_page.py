"""Joins template, look, script and data into one HTML page that a browser lets load nothing."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fer_live.base.colors import expression_hex
from fer_live.base.translation import language, tr, tr_label

_SHARED = "fer_live.base.pages"
PLOTS = ("uPlot.min.css", "uPlot.iife.min.js")
"""uPlot 1.6, unchanged; see assets/NOTICE."""


@dataclass(frozen=True, slots=True)
class WholePage:
    """An HTML page and its Content-Security-Policy, which is in the page too."""

    html: str
    policy: str


def whole_page(
    package: str,
    name: str,
    data: Mapping[str, object],
    *,
    connects_to: str = "'none'",
    css: str = "",
    **fields: object,
) -> WholePage:
    """Make the page of `NAME.html`, `NAME.css` and `NAME.js` in `package`, with plots.

    Args:
        package: Where the three lie.
        name: Without its suffix.
        data: What the script finds in `JSON.parse` of the element "data".
        connects_to: What the script may connect to, in the words of the policy.
        css: More rules, for instance of colours, after those of the file.
        fields: What the template asks for, besides `tr`, `tr_label`, `language`, `page_style`,
            `page_script`, `page_data` and `policy`.
    """
    library_style, library = (_text(_SHARED, file) for file in PLOTS)
    look = _text(_SHARED, "look.css")
    style = "\n".join((library_style, look, _text(package, f"{name}.css"), css))
    script = "\n".join((library, _text(_SHARED, "shared.js"), _text(package, f"{name}.js")))
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        f"img-src data: blob:; connect-src {connects_to}; base-uri 'none'; form-action 'none'"
    )
    template = _environment(package).get_template(f"{name}.html")
    html = template.render(
        tr=tr,
        tr_label=tr_label,
        language=language(),
        policy=policy,
        page_style=Markup(style),
        page_script=Markup(script),
        page_data=Markup(_as_json(data)),
        **fields,
    )
    return WholePage(html, policy)


def label_entries(labels: tuple[str, ...]) -> list[dict[str, str]]:
    """Of each label, and of "unsure" last: its key, its name in the language spoken, its colour."""
    return [
        {"key": label, "name": tr_label(label), "color": expression_hex(label, labels)}
        for label in (*labels, "")
    ]


def _as_json(data: Mapping[str, object]) -> str:
    # In a script, "</script>" or "<!--" would end it, whatever string it stands in.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


@cache
def _text(package: str, name: str) -> str:
    return (files(package) / name).read_text(encoding="utf-8")


@cache
def _environment(package: str) -> Environment:
    loader = PackageLoader(package, "")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
