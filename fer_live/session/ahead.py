"""The first pipeline, loaded while the window is still being built."""

import threading
from collections.abc import Callable

from fer_live.base.settings import Settings
from fer_live.vision.pipeline import Pipeline

_DECIDE = ("model", "provider", "detector")
"""The settings that a pipeline is loaded by; all others can be set while it runs."""


class LoadedAhead:
    """Starts to load a pipeline at once, on a thread; a call hands it out, or loads another one.

    The first call with settings that name the same pipeline waits for it, and gets it or the error
    that it ended with. Calls that come later, or with others, load as `load` does. `close` frees
    what nobody has asked for.

    Args:
        load: Loads the pipeline that settings name.
        settings: What will most likely be asked for.
    """

    def __init__(self, load: Callable[[Settings], Pipeline], settings: Settings) -> None:
        self._load, self._wanted = load, _key(settings)
        self._lock = threading.Lock()
        self._is_taken = False
        self._pipeline: Pipeline | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._begin, args=(settings,), name="loading")
        self._thread.start()

    def __call__(self, settings: Settings) -> Pipeline:
        """The pipeline that these settings name; raises what loading it raises."""
        with self._lock:
            is_mine = not self._is_taken and _key(settings) == self._wanted
            self._is_taken = self._is_taken or is_mine
        if not is_mine:
            return self._load(settings)
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._pipeline is not None, "it ended without an error"
        return self._pipeline

    def close(self) -> None:
        """Wait for the thread, and free its pipeline where nobody took it."""
        with self._lock:
            was_taken, self._is_taken = self._is_taken, True
        self._thread.join()
        if not was_taken and self._pipeline is not None:
            self._pipeline.close()

    def _begin(self, settings: Settings) -> None:
        try:
            self._pipeline = self._load(settings)
        except Exception as error:  # noqa: BLE001  # crosses the thread as a value
            self._error = error


def _key(settings: Settings) -> tuple[object, ...]:
    return tuple(getattr(settings, name) for name in _DECIDE)
