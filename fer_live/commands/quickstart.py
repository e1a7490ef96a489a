"""`fer-live quickstart`, which `make run` calls: the main job with what this machine has."""

from fer_live.analyze.run import AnalyzeOptions, analyze
from fer_live.base.home import home
from fer_live.model.assets import asset
from fer_live.sources.camera import list_cameras
from fer_live.sources.choice import DEMO_CLIP
from fer_live.window.app import LiveOptions, check_screen, run_window, screen_is_there


def quickstart() -> int:
    """The window on camera 0; without a camera, the demo clip; without a screen, a video file."""
    if not screen_is_there():
        video = home() / "demo-annotated.mp4"
        print("No screen here: reading the demo clip without a window.")
        summary, _ = analyze(AnalyzeOptions(sources=[str(asset(DEMO_CLIP))], video=video))
        print(f"{summary.frames} frames read at {summary.fps} a second; look at {video}")
        return 0
    check_screen()
    if 0 not in list_cameras():  # not opened: the person has not agreed yet
        print("No camera 0 here: showing the demo clip.")
        return run_window(LiveOptions(demo=True))
    return run_window(LiveOptions())
