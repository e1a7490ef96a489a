"""Finds the outputs: the files of this folder that declare one make the list.

All of them are imported at every start; what loads slowly has a file of its own, with `_` before
its name, which is not looked into.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import fer_live.outputs
from fer_live.base.console import is_installed, require_packages
from fer_live.errors import InputError
from fer_live.outputs.kind import Opening, OutputKind
from fer_live.outputs.sink import ResultSink

Outputs = dict[str, str]
"""What is switched on: name of the output -> where to (a file, an address, a stream, a device)."""


def output_kinds() -> dict[str, OutputKind]:
    """Every output that there is, by its name, in the order of their lists."""
    modules = (
        importlib.import_module(f"{fer_live.outputs.__name__}.{found.name}")
        for found in pkgutil.iter_modules(fer_live.outputs.__path__)
        if not found.name.startswith("_")
    )
    found = [module.OUTPUT for module in modules if hasattr(module, "OUTPUT")]
    return {kind.name: kind for kind in sorted(found, key=lambda k: (k.position, k.name))}


def check_outputs(outputs: Mapping[str, str]) -> None:
    """Find a mistake on the command line, or what is missing, before anything starts. Raises
    `InputError`, which names the option."""
    kinds = output_kinds()
    for name, where in outputs.items():
        if name not in kinds:
            raise InputError(f"{name}: no such output; there are {', '.join(kinds)}")
        with _naming_option(kinds[name]):
            check_output(kinds[name], where)


def check_output(kind: OutputKind, where: str) -> None:
    """Find a mistake in `where`, or what is missing, before the output starts. Raises
    `InputError`."""
    kind.check(where)
    if kind.package:
        require_packages(kind.extra, kind.package)
    if trouble := kind.trouble():
        raise InputError(trouble)


def open_output(name: str, opening: Opening) -> ResultSink:
    """Start the output that the command line names. Raises `InputError`, which names the option, or
    `OutputError`."""
    kind = output_kinds()[name]
    with _naming_option(kind):
        return kind.open(opening)


@contextmanager
def _naming_option(kind: OutputKind) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise type(error)(f"{kind.option}: {error}") from None


def missing_extra(kind: OutputKind) -> str:
    """The extra that has to be installed before this output works; empty where it works."""
    return "" if not kind.package or is_installed(kind.package) else kind.extra


def as_markdown() -> str:
    """The table of outputs in docs/data_out.md, one row for each."""
    rows = ["| option | what comes out | needs |", "|---|---|---|"]
    for kind in output_kinds().values():
        argument = f"[{kind.metavar}]" if kind.where_is_optional else kind.metavar
        needs = f"`pip install '.[{kind.extra}]'`" if kind.extra else ""
        rows.append(f"| `{kind.option} {argument}` | {kind.help} | {needs} |")
    return "\n".join(rows) + "\n"
