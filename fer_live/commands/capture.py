"""`fer-live capture`: record clips of oneself to learn from."""

import argparse
import sys
from datetime import datetime

from fer_live.base.console import ArgumentParser, natural, positive
from fer_live.base.settings import Settings, change_settings
from fer_live.base.unfinished import cut_off_line
from fer_live.commands.options import settings_in_use, tell
from fer_live.errors import InputError
from fer_live.plain_text import say


def add(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "capture",
        help="record clips of yourself to retrain on",
        description="Records one clip of the faces before the camera, for personalize and for a "
        "retraining. It asks for your agreement once; the clip stays on this computer. Ctrl-C "
        "ends the clip, and Enter pauses it.",
        examples=("fer-live capture --minutes 2", "fer-live capture --source holiday.mp4"),
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--camera", type=natural, default=0, metavar="N", help="use camera N (default: 0)"
    )
    source.add_argument("--source", metavar="PATH_OR_URL", help="take a file or stream instead")
    parser.add_argument("--minutes", type=positive, metavar="M", help="end after so many minutes")
    parser.add_argument(
        "--agree", action="store_true", help="agree to being captured, where nobody can be asked"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Capture one clip; 1 where no face was seen or the source broke."""
    from fer_live.personal.capture import capture
    from fer_live.personal.clips import summarize
    from fer_live.personal.models import load_pipeline
    from fer_live.sources.camera import CameraSource
    from fer_live.sources.open import is_url, open_source

    settings, name = settings_in_use(), arguments.source
    if line := cut_off_line():
        tell(line)
    if name is None or is_url(name):  # a file was captured before
        settings = with_consent(settings, agrees=arguments.agree)
    # Before the seconds that a pipeline takes: a mistyped name is told at once.
    source = CameraSource(arguments.camera) if name is None else open_source(name)
    with load_pipeline(settings) as pipeline:
        captured = capture(source, pipeline, settings, arguments.minutes, pauses=True)
    if captured.trouble is not None:
        tell(str(captured.trouble))
    if captured.clip is None:
        tell(f"no face in {captured.n_frames} frames; nothing kept")
        return 1
    say(summarize(captured.clip).line(), captured.clip.folder)
    return 1 if captured.trouble else 0


def with_consent(settings: Settings, *, agrees: bool) -> Settings:
    """Ask once, and keep the answer."""
    from fer_live.personal.consent import consent_text

    if settings.capture_accepted_on:
        return settings
    say(*consent_text().split("\n"), to=sys.stderr)
    if not agrees:
        if not sys.stdin.isatty():
            raise InputError("nobody here to be asked; add --agree to agree to this")
        sys.stderr.write("Agree? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise InputError("not agreed; nothing was captured")
    agreed = {"capture_accepted_on": f"{datetime.now():%Y-%m-%d}"}
    change_settings(agreed)
    return settings.but(**agreed)
