"""`fer-live models`: the shipped model and one's own; list, show, install, use, remove."""

import argparse
import json
from pathlib import Path

from fer_live.base.console import ArgumentParser, check_output_file
from fer_live.base.screen import check_screen
from fer_live.base.settings import change_settings
from fer_live.commands.options import add_action, settings_in_use
from fer_live.errors import InputError, RefusedError
from fer_live.plain_text import say

_NAME_HELP = "the name of a model, as models list prints it"


def add(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    """Declare the command and its actions."""
    parser = commands.add_parser(
        "models",
        help="the shipped model and your own",
        description="Lists the models that are there and says which one reads. Each action has "
        "its own --help.",
        examples=("fer-live models list", "fer-live models use shipped"),
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add_action(actions, "list", "print one line per model").set_defaults(run=_list)
    install = add_action(actions, "install", "install a retrained model that is proven better")
    install.add_argument(
        "run_dir", type=Path, metavar="RUN_DIR", help="the folder that fer-train personalize made"
    )
    install.add_argument(
        "--name", default="", help="call the model so (default: personal-1, personal-2, ...)"
    )
    install.add_argument(
        "--anyway",
        action="store_true",
        help="install it by your word alone, where too few takes prove anything; not against what "
        "they say",
    )
    install.set_defaults(run=_install)
    exporting = add_action(actions, "export", "write a model of yours to one file")
    exporting.add_argument("name", metavar="NAME", help=_NAME_HELP)
    exporting.add_argument("file", type=Path, metavar="FILE.ferprofile", help="the file to write")
    exporting.set_defaults(run=_export)
    importing = add_action(actions, "import", "install the model of an exported file")
    importing.add_argument(
        "file", type=Path, metavar="FILE.ferprofile", help="the file that models export wrote"
    )
    importing.add_argument(
        "--name", default="", help="call the model so (default: the name that it had)"
    )
    importing.set_defaults(run=_import)
    for name, run, text in (
        ("show", _show, "print what a model was made from"),
        ("use", _use, "read with this model from now on; a running window takes it at once"),
        ("remove", _remove, "delete an installed model"),
    ):
        action = add_action(actions, name, text)
        action.add_argument("name", metavar="NAME", help=_NAME_HELP)
        action.set_defaults(run=run)


def _list(arguments: argparse.Namespace) -> int:
    from fer_live.personal.models import list_models

    in_use = settings_in_use().model
    for model in list_models():
        mark = "*" if in_use == (model.folder and str(model.folder)) else " "
        made_from = "came with the app"
        if model.folder is not None:
            training = model.manifest().training
            made_from = f"made {training.get('made_on', '?')} from {training.get('data', '?')}"
            if model.has_newer_base():
                made_from += "; a newer shipped model is there, fer-live personalize makes it again"
        say(f"{mark} {model.name}  {made_from}")
    if in_use is not None and Path(in_use).is_file():
        say(f"* {in_use}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from fer_live.personal.models import card, find_model

    told = json.dumps(card(find_model(arguments.name)), indent=2, ensure_ascii=False)
    say(*told.split("\n"))
    return 0


def _install(arguments: argparse.Namespace) -> int:
    from fer_live.personal.models import install_model
    from fer_live.personal.proof import load_proof

    if load_proof(arguments.run_dir).may_ask and not arguments.anyway:
        try:
            check_screen()
            from fer_live.window.app import ask_which_reads_better

            ask_which_reads_better(arguments.run_dir)
        except InputError as error:
            raise RefusedError(
                f"which model reads your faces better is yours to say: {error}"
            ) from None
    model = install_model(arguments.run_dir, arguments.name, anyway=arguments.anyway)
    say(f"installed as {model.name}; to read with it: fer-live models use '{model.name}'")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from fer_live.personal.models import find_model
    from fer_live.personal.profile_file import PROFILE_SUFFIX, export_profile

    file = check_output_file(arguments.file, (PROFILE_SUFFIX,))
    export_profile(find_model(arguments.name), file)
    say(f"wrote {file}; on the other computer: fer-live models import {file.name}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from fer_live.personal.profile_file import import_profile

    model = import_profile(arguments.file, arguments.name)
    say(f"installed as {model.name}; to read with it: fer-live models use '{model.name}'")
    return 0


def _use(arguments: argparse.Namespace) -> int:
    from fer_live.personal.models import find_model

    model = find_model(arguments.name)
    model.manifest()  # a file that cannot be used is found now
    chosen = model.folder and str(model.folder)
    change_settings({"model": chosen}, instead=settings_in_use())
    say(f"{model.name} is in use")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    from fer_live.personal.models import SHIPPED, find_own_folder, lies_in, remove_model

    model = find_own_folder(arguments.name)
    was_used = model.folder is not None and lies_in(settings_in_use().model, [model.folder])
    if was_used:
        change_settings({"model": None})
    remove_model(model)
    say(f"removed {model.name}" + (f"; {SHIPPED} is in use" if was_used else ""))
    return 0
