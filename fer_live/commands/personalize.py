"""`fer-live personalize`: calibrate the model to one person, in seconds and without torch."""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fer_live.base.console import ArgumentParser, check_output_file, natural
from fer_live.base.settings import change_settings
from fer_live.commands.capture import with_consent
from fer_live.commands.options import settings_in_use, tell
from fer_live.errors import InputError
from fer_live.plain_text import say

if TYPE_CHECKING:
    from fer_live.personal.personalize import Personalized

_SECONDS = 10.0
_COUNTDOWN_S = 3
_REFUSED = 3


def add(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "personalize",
        help="calibrate the model to your face",
        description="Calibrates the model to one person in seconds, from ten seconds of all sorts "
        "of faces, from labeled pictures, or from both. Exit code 0: a model was written; 3: the "
        "takes speak against it, and nothing was changed.",
        examples=(
            "fer-live personalize --install",
            "fer-live personalize --labeled my-faces/ --name Ada --out ada-model",
        ),
    )
    _add_material(parser)
    _add_profile(parser)
    parser.set_defaults(run=run)


def _add_material(parser: ArgumentParser) -> None:
    """Declare what is learnt from."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--camera",
        type=natural,
        metavar="N",
        help="make all sorts of faces before this camera for ten seconds (default: 0)",
    )
    source.add_argument("--source", metavar="S", help="learn from a video, image or stream instead")
    source.add_argument(
        "--clips",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="learn from these folders of your clips",
    )
    parser.add_argument(
        "--labeled",
        type=Path,
        metavar="DIR",
        help="learn from images or clips of yours in DIR/LABEL/",
    )
    parser.add_argument(
        "--own",
        nargs="+",
        default=[],
        metavar="NAME",
        help="learn expressions of your own, from DIR/NAME/; later they need no --own",
    )
    parser.add_argument(
        "--forget",
        nargs="+",
        default=[],
        metavar="NAME",
        help="drop these expressions of your own from the profile",
    )
    parser.add_argument(
        "--track",
        nargs="+",
        default=[],
        metavar="WHOSE",
        help="say whose face is meant where several people are in a clip: largest (default), all, "
        "a face's number, or CLIP:NUMBER",
    )


def _add_profile(parser: ArgumentParser) -> None:
    """Declare what becomes of it."""
    parser.add_argument("--name", default="me", help="call the profile so (default: me)")
    parser.add_argument(
        "--install", action="store_true", help="read with it from now on, also if nothing proves it"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write the model to this folder, if it is not installed",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what came of it")
    parser.add_argument(
        "--agree", action="store_true", help="agree to being captured, where nobody can be asked"
    )


def run(arguments: argparse.Namespace) -> int:
    """Calibrate; 0 where a model was written, 3 where the evidence speaks against it."""
    if arguments.json is not None:
        check_output_file(arguments.json, (".json",))
    from fer_live.personal.answer import kept, refusal, result, result_of_own
    from fer_live.personal.own_expressions import plain_name
    from fer_live.personal.personalize import (
        Wishes,
        gather_material,
        own_labels_after,
        personalize,
        start_of_profile,
    )
    from fer_live.personal.whose_face import LARGEST, TrackChoice

    choice = TrackChoice.parse(arguments.track, otherwise=LARGEST)
    _check_out(arguments.out)
    _check_places(arguments)
    start = start_of_profile(arguments.name, say)
    wishes = Wishes(
        (),
        arguments.labeled,
        arguments.name,
        choice,
        tuple(arguments.own),
        tuple(map(plain_name, arguments.forget)),
    )
    own_labels_after(
        start.manifest, wishes
    )  # what is wrong with a name is told before anything is captured
    wishes = replace(wishes, clips=_clips(arguments))
    began_s = time.perf_counter()
    material = gather_material(wishes, start, say)
    made = personalize(start, material, arguments.name, say)
    say(f"took {time.perf_counter() - began_s:.1f} s")
    if made.is_refused:
        _write_json(arguments.json, made, None, installed=False)
        tell(refusal(made.evidence))
        return _REFUSED
    model = _place(arguments, made)
    _write_json(arguments.json, made, model, installed=arguments.install)
    if made.common_kept or made.used["labeled"] + made.used["unlabeled"]:
        say(kept(made.evidence) if made.common_kept else result(made.evidence))
    for name, found in made.own.items():
        say(result_of_own(name, found))
    say(*_where(model, arguments))
    return 0


def _check_places(arguments: argparse.Namespace) -> None:
    """What is named must be there before anything is captured."""
    for place in (*arguments.clips, *([arguments.labeled] if arguments.labeled else [])):
        if not place.exists():
            raise InputError(f"{place}: no such file or folder")


def _check_out(out: Path | None) -> None:
    """A folder that is free, or holds a model that may be replaced."""
    from fer_live.model.assets import CPU_MODEL

    if out is None or not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"{out}: is a file; name a folder")
    if any(out.iterdir()) and not (out / CPU_MODEL).is_file():
        raise InputError(f"{out}: holds other things than a model; name another folder")


def _clips(arguments: argparse.Namespace) -> tuple[Path, ...]:
    """The files and folders to learn from without labels; captured first where a camera or a stream
    is meant. With labels alone, or something to forget, nothing is captured."""
    from fer_live.sources.open import is_url

    if arguments.clips:
        return tuple(arguments.clips)
    name = arguments.source
    if name is not None and not is_url(name):
        if not Path(name).exists():
            raise InputError(f"{name}: no such file or folder")
        return (Path(name),)
    is_enough = arguments.labeled is not None or arguments.forget
    if name is None and arguments.camera is None and is_enough:
        return ()
    return _captured(arguments, name)


def _captured(arguments: argparse.Namespace, name: str | None) -> tuple[Path, ...]:
    """Ten seconds of all sorts of faces, kept as a clip."""
    from fer_live.personal.capture import capture
    from fer_live.personal.models import load_pipeline
    from fer_live.sources.camera import CameraSource
    from fer_live.sources.open import open_source

    settings = with_consent(settings_in_use(), agrees=arguments.agree).but(person=arguments.name)
    source = CameraSource(arguments.camera or 0) if name is None else open_source(name)
    with load_pipeline(settings) as pipeline:
        say("Make all sorts of faces: happy, surprised, angry, sad ...", to=sys.stderr)
        for left in range(_COUNTDOWN_S, 0, -1):
            sys.stderr.write(f"\r{left} ...")
            sys.stderr.flush()
            time.sleep(1.0)
        sys.stderr.write("\rnow: ten seconds\n")
        captured = capture(source, pipeline, settings, _SECONDS / 60)
    if captured.trouble is not None:
        tell(str(captured.trouble))
    if captured.clip is None:
        raise InputError(f"{source.name}: no face in {captured.n_frames} frames; nothing was kept")
    return (captured.clip.video,)


def _place(arguments: argparse.Namespace, made: "Personalized") -> Path:
    """Write the model; the path of its file for this processor."""
    from fer_live.base.home import home
    from fer_live.model.assets import CPU_MODEL
    from fer_live.personal.model_folder import write_model_folder
    from fer_live.personal.personalize import write_profile

    if arguments.out is not None or not arguments.install:
        out: Path = arguments.out or home() / "calibrated" / arguments.name
        write_model_folder(out, made.files)
        model = out / CPU_MODEL
    if arguments.install:
        profile = write_profile(made, arguments.name)
        change_settings({"model": str(profile.folder)}, instead=settings_in_use())
        assert profile.folder is not None
        model = profile.folder / CPU_MODEL
    return model.absolute()


def _write_json(
    file: Path | None, made: "Personalized", model: Path | None, *, installed: bool
) -> None:
    from fer_live.base.atomic_file import write_atomically
    from fer_live.personal.answer import as_json

    if file is None:
        return
    answer = {
        **as_json(made.evidence, made.used, made.skipped, model, installed=installed),
        "labels": list(made.labels),
        "common_kept": made.common_kept,
        "own": {name: found.as_dict() for name, found in made.own.items()},
    }
    write_atomically(file, (json.dumps(answer, indent=2, ensure_ascii=False) + "\n").encode())


def _where(model: Path, arguments: argparse.Namespace) -> list[str]:
    if arguments.install:
        return [f"{arguments.name} is in use; back with: fer-live models use shipped"]
    return [str(model.parent), f"not in use; try it: fer-live --model '{model}', or add --install"]
