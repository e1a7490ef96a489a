"""The commands around retraining on one's own clips: `fer-live capture`, `clips` and `models`."""

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fer_live.base.console import ArgumentParser, natural, positive
from fer_live.base.settings import Settings, load_settings, save_settings
from fer_live.errors import InputError, RefusedError
from fer_live.personal.models import resolve_model

if TYPE_CHECKING:  # its imports take seconds
    from fer_live.vision.pipeline import Pipeline


def add_personal_commands(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    """Put them among the commands of `fer-live`."""
    capture = commands.add_parser("capture", help="record clips of yourself to retrain on")
    source = capture.add_mutually_exclusive_group()
    source.add_argument("--camera", type=natural, default=0, metavar="N", help="default: 0")
    source.add_argument("--source", metavar="PATH_OR_URL", help="a file or stream instead")
    capture.add_argument("--minutes", type=positive, metavar="M", help="end by itself after these")
    capture.add_argument(
        "--agree", action="store_true", help="agree to being captured, where nobody can be asked"
    )
    capture.set_defaults(run=_capture)

    clips = commands.add_parser("clips", help="what was captured: list, show, delete, import")
    actions = clips.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="a line a clip").set_defaults(run=_list_clips)
    show = actions.add_parser("show", help="all about one clip")
    show.add_argument("clip", metavar="CLIP")
    show.set_defaults(run=_show_clip)
    delete = actions.add_parser("delete", help="delete clips from the disk")
    which = delete.add_mutually_exclusive_group(required=True)
    which.add_argument("clips", nargs="*", default=[], metavar="CLIP")
    which.add_argument("--all", action="store_true", help="all clips and all takes")
    delete.set_defaults(run=_delete_clips)
    importing = actions.add_parser("import", help="make clips of video files")
    importing.add_argument("files", nargs="+", type=Path, metavar="FILE")
    importing.set_defaults(run=_import_clips)

    models = commands.add_parser("models", help="the shipped model and your own")
    actions = models.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="a line a model").set_defaults(run=_list_models)
    install = actions.add_parser("install", help="install a retrained model that is proven better")
    install.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    install.add_argument("--name", default="", help="default: personal-1, personal-2, ...")
    install.set_defaults(run=_install_model)
    for name, run, text in (
        ("show", _show_model, "what a model was made from"),
        ("use", _use_model, "read with this model from now on; a running window takes it at once"),
        ("remove", _remove_model, "delete an installed model"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("name", metavar="NAME")
        action.set_defaults(run=run)


def _capture(arguments: argparse.Namespace) -> int:
    from fer_live.personal.capture import capture
    from fer_live.personal.clips import summarize
    from fer_live.sources.camera import CameraSource, is_url, open_source

    settings = _settings()
    if arguments.source is None or is_url(arguments.source):  # a file was captured before
        settings = _with_consent(settings, agrees=arguments.agree)
    # Before the seconds that a pipeline takes: a mistyped name is told at once.
    name = arguments.source
    source = CameraSource(arguments.camera) if name is None else open_source(name)
    with _pipeline(settings) as pipeline:
        captured = capture(source, pipeline, settings, arguments.minutes, pauses=True)
    if captured.trouble is not None:
        print(f"fer-live: {captured.trouble}", file=sys.stderr)
    if captured.clip is None:
        print(f"fer-live: no face in {captured.n_frames} frames; nothing kept", file=sys.stderr)
        return 1
    print(f"{summarize(captured.clip).line()}\n{captured.clip.folder}")
    return 1 if captured.trouble else 0


def _with_consent(settings: Settings, *, agrees: bool) -> Settings:
    """Asked once, and kept."""
    from fer_live.personal.consent import consent_text

    if settings.capture_accepted_on:
        return settings
    print(consent_text(), file=sys.stderr)
    if not agrees:
        if not sys.stdin.isatty():
            raise InputError("nobody here to be asked; add --agree to agree to this")
        print("Agree? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise InputError("not agreed; nothing was captured")
    settings = settings.but(capture_accepted_on=f"{datetime.now():%Y-%m-%d}")
    save_settings(settings)
    return settings


def _list_clips(arguments: argparse.Namespace) -> int:
    from fer_live.personal.clips import bytes_used, list_clips, list_takes, summarize

    for clip in [*list_clips(), *list_takes()]:
        print(summarize(clip).line())
    limit_mb = _settings().clips_limit_mb
    print(f"{bytes_used() / 1e6:.1f} MB of {limit_mb} MB used", file=sys.stderr)
    return 0


def _show_clip(arguments: argparse.Namespace) -> int:
    from fer_live.personal.clips import find_clips, summarize

    (clip,) = find_clips([arguments.clip])
    summary = summarize(clip)
    print(summary.line())
    for number, n_frames in summary.faces_by_track.items():
        print(f"face {number}: in {n_frames} frames")
    print(f"read by {clip.about.model}, began {clip.about.began_at:%Y-%m-%d %H:%M:%S}")
    print(clip.video)
    return 0


def _delete_clips(arguments: argparse.Namespace) -> int:
    from fer_live.personal.clips import (
        find_clips,
        forget_retraining,
        list_clips,
        list_takes,
        summarize,
    )
    from fer_live.personal.takes import discard_unreviewed

    everything = [*list_clips(), *list_takes()]
    doomed = everything if arguments.all else find_clips(arguments.clips)
    for clip in doomed:
        line = summarize(clip).line()
        clip.delete()
        print(f"deleted {line}")
    if arguments.all and (n_unreviewed := discard_unreviewed()):
        print(f"deleted {n_unreviewed} takes that were not reviewed")
    if doomed and forget_retraining():
        print("deleted the retraining that was not installed, with the faces in it")
    print(f"{len(doomed)} deleted, {len(everything) - len(doomed)} left", file=sys.stderr)
    return 0


def _import_clips(arguments: argparse.Namespace) -> int:
    from fer_live.personal.capture import import_clips
    from fer_live.personal.clips import summarize

    missing = [file for file in arguments.files if not file.is_file()]
    if missing:
        raise InputError(f"{missing[0]}: no such file")
    settings = _settings()
    with _pipeline(settings) as pipeline:
        clips, broken = import_clips(arguments.files, pipeline, settings)
    for clip in clips:
        print(summarize(clip).line())
    for line in broken:
        print(f"fer-live: skipped: {line}", file=sys.stderr)
    print(f"{len(clips)} imported, {len(broken)} with something wrong", file=sys.stderr)
    return 1 if broken else 0


def _list_models(arguments: argparse.Namespace) -> int:
    from fer_live.personal.models import list_models

    in_use = _settings().model
    for model in list_models():
        mark = "*" if in_use == (model.folder and str(model.folder)) else " "
        made_from = "came with the app"
        if model.folder is not None:
            training = model.manifest().training
            made_from = f"made {training.get('made_on', '?')} from {training.get('data', '?')}"
        print(f"{mark} {model.name}  {made_from}")
    if in_use is not None and Path(in_use).is_file():
        print(f"* {in_use}")
    return 0


def _show_model(arguments: argparse.Namespace) -> int:
    from fer_live.personal.models import card, find_model

    print(json.dumps(card(find_model(arguments.name)), indent=2, ensure_ascii=False))
    return 0


def _install_model(arguments: argparse.Namespace) -> int:
    from fer_live.personal.models import install_model
    from fer_live.personal.proof import load_proof

    if load_proof(arguments.run_dir).may_ask:
        from fer_live.window.app import ask_which_reads_better

        try:
            ask_which_reads_better(arguments.run_dir)
        except InputError as error:
            raise RefusedError(
                f"which model reads your faces better is yours to say: {error}"
            ) from None
    model = install_model(arguments.run_dir, arguments.name)
    print(f"installed as {model.name}; to read with it: fer-live models use '{model.name}'")
    return 0


def _use_model(arguments: argparse.Namespace) -> int:
    from fer_live.personal.models import find_model

    model = find_model(arguments.name)
    model.manifest()  # a file that cannot be used is found now
    save_settings(_settings().but(model=model.folder and str(model.folder)))
    print(f"{model.name} is in use")
    return 0


def _remove_model(arguments: argparse.Namespace) -> int:
    from fer_live.personal.models import SHIPPED, find_model, remove_model

    model = find_model(arguments.name)
    settings = _settings()
    was_used = model.folder is not None and settings.model == str(model.folder)
    if was_used:
        save_settings(settings.but(model=None))
    remove_model(model)
    print(f"removed {model.name}" + (f"; {SHIPPED} is in use" if was_used else ""))
    return 0


def _settings() -> Settings:
    settings, trouble = load_settings()
    if trouble:
        print(f"fer-live: {trouble}", file=sys.stderr)
    return settings


def _pipeline(settings: Settings) -> "Pipeline":
    from fer_live.vision.pipeline import Pipeline

    return Pipeline.load(resolve_model(settings.model), settings.provider, settings.detector)
