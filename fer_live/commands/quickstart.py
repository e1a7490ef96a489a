"""`fer-live quickstart`, which `make run` calls: the main job with what this machine has."""

import argparse

from fer_live.base.console import ArgumentParser
from fer_live.base.screen import check_screen, screen_is_there
from fer_live.commands.options import refuse_all_options
from fer_live.plain_text import say


def add(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "quickstart",
        help="show at once what this machine can do; `make run` calls it",
        description="The quickest way to see it work: a window on camera 0; without a camera the "
        "window shows the demo clip; without a screen the demo clip is read into a video file "
        "with boxes and labels, and its place is printed. It takes no options.",
        examples=("fer-live quickstart", "FER_LIVE_HOME=try fer-live quickstart"),
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """The window on camera 0; without a camera, the demo clip; without a screen, a video file."""
    refuse_all_options(arguments, "quickstart takes no options")
    if not screen_is_there():
        return _write_video()
    check_screen()
    from fer_live.session.options import LiveOptions
    from fer_live.sources.camera import list_cameras
    from fer_live.sources.choice import Demo
    from fer_live.sources.several import NamedSource
    from fer_live.window.app import run_window

    if 0 not in list_cameras():  # not opened: the person has not agreed yet
        say("No camera 0 here: showing the demo clip.")
        return run_window(LiveOptions(sources=[NamedSource(Demo())]))
    return run_window(LiveOptions())


def _write_video() -> int:
    from fer_live.analyze.options import AnalyzeOptions
    from fer_live.analyze.run import analyze
    from fer_live.base.home import home
    from fer_live.model.assets import asset
    from fer_live.sources.choice import DEMO_CLIP

    video = home() / "demo-annotated.mp4"
    say("No screen here: reading the demo clip without a window.")
    summary, _ = analyze(AnalyzeOptions(sources=[str(asset(DEMO_CLIP))], video=video))
    say(f"{summary.frames} frames read at {summary.fps} a second; look at {video}")
    return 0
