"""One thing that a person can do in the window, as data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fer_live.window.main_window import MainWindow


Menu = Literal["file", "edit", "record", "playback", "view", "tools", "help"]
Tab = Literal["any", "live", "review", "live or review"]


@dataclass(frozen=True, slots=True)
class WindowAction:
    """One thing that a person can do by a key, and in the toolbar where `TOOLBAR` names it.

    Exactly one of three says what happens: `run`, `switch` with whether it is now on, or `setting`,
    the field of `Settings` that it switches. The last two are checkable. `short_text` is for the
    toolbar, which has little room; `tip` tells more than the text. `menu` names the menu it stands
    in, `icon` its drawing, and `tab` where it works: two that never work in one tab may have one
    key.
    """

    id: str
    text: str
    key: str = ""
    run: Callable[["MainWindow"], object] | None = None
    switch: Callable[["MainWindow", bool], object] | None = None
    setting: str = ""
    short_text: str = ""
    tip: str = ""
    menu: Menu = "view"
    icon: str = ""
    tab: Tab = "any"

    def __post_init__(self) -> None:
        ways = [way for way in (self.run, self.switch, self.setting) if way]
        if len(ways) != 1:
            raise ValueError(f"{self.id}: expected one of run, switch, setting; got {len(ways)}")

    @property
    def is_checkable(self) -> bool:
        """Whether the action is a switch that can be on or off."""
        return self.run is None
