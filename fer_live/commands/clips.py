"""`fer-live clips`: what was captured; list, show, delete, import."""

import argparse
import sys
from pathlib import Path

from fer_live.base.console import ArgumentParser
from fer_live.base.deletion import delete_folder, refuse_link, refuse_links
from fer_live.base.settings import change_settings
from fer_live.commands.options import add_action, settings_in_use, tell
from fer_live.errors import InputError
from fer_live.plain_text import say


def add(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    """Declare the command and its actions."""
    parser = commands.add_parser(
        "clips",
        help="what was captured: list, show, delete, import",
        description="Lists and deletes the clips and takes that were captured, or makes clips of "
        "video files. Each action has its own --help.",
        examples=("fer-live clips list", "fer-live clips delete --all"),
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add_action(actions, "list", "print one line per clip").set_defaults(run=_list)
    show = add_action(actions, "show", "print all about one clip")
    show.add_argument("clip", metavar="CLIP", help="the name of a clip, as clips list prints it")
    show.set_defaults(run=_show)
    delete = add_action(actions, "delete", "delete clips from the disk")
    which = delete.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "clips", nargs="*", default=[], metavar="CLIP", help="delete the clips of these names"
    )
    which.add_argument("--all", action="store_true", help="delete all clips and all takes")
    which.add_argument(
        "--everything",
        metavar="PERSON",
        help='delete all clips and takes of a person ("me", if nobody else was named), and the '
        "models learnt from them",
    )
    delete.set_defaults(run=_delete)
    importing = add_action(actions, "import", "make clips of video files")
    importing.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a video file to make a clip of"
    )
    importing.set_defaults(run=_import)


def _list(arguments: argparse.Namespace) -> int:
    from fer_live.personal.clips import (
        bytes_used,
        list_clips,
        list_takes,
        name_of,
        summarize,
        unreadable_clips,
    )

    for clip in [*list_clips(), *list_takes()]:
        say(summarize(clip).line())
    for folder in unreadable_clips():
        tell(f"{name_of(folder)}: cannot be read; it can be deleted by this name")
    limit_mb = settings_in_use().clips_limit_mb
    say(f"{bytes_used() / 1e6:.1f} MB of {limit_mb} MB used", to=sys.stderr)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from fer_live.personal.clips import find_clips, summarize

    (clip,) = find_clips([arguments.clip])
    summary = summarize(clip)
    say(summary.line())
    for number, n_frames in summary.faces_by_track.items():
        say(f"face {number}: in {n_frames} frames")
    say(f"read by {clip.about.model}, began {clip.about.began_at:%Y-%m-%d %H:%M:%S}")
    say(clip.video)
    return 0


def _delete(arguments: argparse.Namespace) -> int:
    return _forget(arguments.everything) if arguments.everything else _delete_clips(arguments)


def _forget(person: str) -> int:
    from fer_live.personal.clips import person_names
    from fer_live.personal.forget import check_forgettable, forget_person, settings_without

    if not check_forgettable(person):
        raise InputError(f"{person}: no such person; there are: {', '.join(person_names())}")
    settings = settings_in_use()
    change_settings(dict(settings_without(person, settings)))
    forgotten = forget_person(person)
    names = ", ".join(forgotten.models) or "no model"
    say(f"deleted {forgotten.n_clips} clips and takes of {person}, and {names}")
    say("recordings and snapshots stay: they lie in the folder of the app", to=sys.stderr)
    for name in forgotten.unread:
        tell(
            f"{name}: this model cannot be read, so nothing tells whose it is, and it stays; "
            f"fer-live models remove '{name}' deletes it"
        )
    return 1 if forgotten.unread else 0


def _delete_clips(arguments: argparse.Namespace) -> int:
    from fer_live.personal.clips import (
        clip_folders,
        find_clip_folders,
        forget_retraining,
        open_up_clips,
    )
    from fer_live.personal.takes import discard_unreviewed, unreviewed_takes

    open_up_clips()
    doomed = clip_folders() if arguments.all else find_clip_folders(arguments.clips)
    for folder in doomed:
        refuse_link(folder)
    for folder in (*doomed, *unreviewed_takes()) if arguments.all else ():
        refuse_links(folder)
    # First, so that no clip is gone yet where this is cut off, and the same command goes on.
    if forget_retraining():
        say("deleted the retraining that was not installed, with the faces in it")
    for folder in doomed:
        line = _line(folder)
        delete_folder(folder)
        say(f"deleted {line}")
    if arguments.all and (n_unreviewed := discard_unreviewed()):
        say(f"deleted {n_unreviewed} takes that were not reviewed")
    say(f"{len(doomed)} deleted, {len(clip_folders())} left", to=sys.stderr)
    return 0


def _line(folder: Path) -> str:
    from fer_live.personal.clips import name_of, summarize
    from fer_live.recording.recorder import recording_of

    clip = recording_of(folder)
    return f"{name_of(folder)}, which could not be read" if clip is None else summarize(clip).line()


def _import(arguments: argparse.Namespace) -> int:
    from fer_live.personal.capture import import_clips
    from fer_live.personal.clips import summarize
    from fer_live.personal.models import load_pipeline

    missing = [file for file in arguments.files if not file.is_file()]
    if missing:
        raise InputError(f"{missing[0]}: no such file")
    settings = settings_in_use()
    with load_pipeline(settings) as pipeline:
        clips, broken = import_clips(arguments.files, pipeline, settings)
    for clip in clips:
        say(summarize(clip).line())
    for line in broken:
        tell(f"skipped: {line}")
    say(f"{len(clips)} imported, {len(broken)} with something wrong", to=sys.stderr)
    return 1 if broken else 0
