import threading

import pytest

from fer_live.base.settings import Settings
from fer_live.errors import ModelError
from fer_live.session.ahead import LoadedAhead


class Stub:
    def __init__(self, settings: Settings) -> None:
        self.settings, self.is_closed = settings, False

    def close(self) -> None:
        self.is_closed = True


def test_the_first_call_gets_what_was_begun_and_later_ones_their_own():
    threads: list[str] = []

    def load(settings: Settings) -> Stub:
        threads.append(threading.current_thread().name)
        return Stub(settings)

    ahead = LoadedAhead(load, Settings(calm=0.1))
    first = ahead(Settings(calm=0.9))  # calm can be set while it runs
    second = ahead(Settings())
    assert first is not second
    assert threads == ["loading", threading.current_thread().name]
    ahead.close()
    assert not first.is_closed and not second.is_closed


def test_another_model_is_loaded_anew_and_what_nobody_took_is_freed():
    made: list[Stub] = []

    def load(settings: Settings) -> Stub:
        made.append(Stub(settings))
        return made[-1]

    ahead = LoadedAhead(load, Settings())
    other = ahead(Settings(detector="full"))
    assert other.settings.detector == "full"
    ahead.close()
    unused = next(stub for stub in made if stub is not other)
    assert unused.is_closed and not other.is_closed


def test_its_error_is_raised_where_it_is_asked_for_and_nowhere_else():
    def load(settings: Settings) -> Stub:
        raise ModelError("no such model")

    ahead = LoadedAhead(load, Settings())
    with pytest.raises(ModelError, match="no such model"):
        ahead(Settings())
    ahead.close()
