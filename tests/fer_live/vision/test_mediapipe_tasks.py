import os
import subprocess
import sys
import tempfile
import threading

import pytest

from fer_live.vision.mediapipe_tasks import quiet_native_stderr


def test_two_threads_that_load_at_once_leave_stderr_as_it_was():
    """Several sources load their networks at the same time, each silencing file descriptor 2."""
    second_is_in, first_is_out = threading.Event(), threading.Event()

    def load_first() -> None:
        with quiet_native_stderr():
            os.write(2, b"noise")
            second.start()
            second_is_in.wait(0.3)  # only where both may be in here
        first_is_out.set()

    def load_second() -> None:
        with quiet_native_stderr():
            second_is_in.set()
            first_is_out.wait(10)

    first, second = threading.Thread(target=load_first), threading.Thread(target=load_second)
    saved = os.dup(2)
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 2)
        try:
            first.start()
            first.join()
            second.join()
            os.write(2, b"a line")
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        heard.seek(0)
        assert heard.read() == b"a line"


LOADED = """
import sys, threading
{before}
from fer_live.vision.detector import FaceDetector
loaders = [threading.Thread(target=lambda: FaceDetector("short").close()) for _ in range(3)]
for loader in loaders:
    loader.start()
for loader in loaders:
    loader.join()
print(*sorted({"matplotlib", "matplotlib.pyplot", "sounddevice"} & set(sys.modules)))
from mediapipe.tasks.python.vision import drawing_utils
import matplotlib.pyplot
print(drawing_utils.plt.figure is matplotlib.pyplot.figure)
"""


@pytest.mark.parametrize("before", ["", "import matplotlib"])
def test_the_networks_load_without_plots_and_sound_which_work_for_others(before: str):
    """On several threads at once, as for several sources."""
    code = LOADED.replace("{before}", before)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [before.removeprefix("import "), "True"]
