"""What the person has chosen, kept from one start to the next in FER_LIVE_HOME/settings.json."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fer_live.base.atomic_file import (
    alone_with,
    forget_cut_off,
    free_place,
    write_atomically,
    writing,
)
from fer_live.base.deletion import delete_file
from fer_live.base.folder_name import can_be_folder
from fer_live.base.home import home
from fer_live.base.regular_file import read_whole
from fer_live.base.translation import tr
from fer_live.datatypes import DetectorMode, Provider

SETTINGS_FILE = "settings.json"

Theme = Literal["system", "light", "dark"]
Language = Literal["system", "en", "ko"]


class MarkerKey(BaseModel):
    """What a digit marks."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str = Field("", max_length=200, description="empty: the digit marks nothing")
    is_interval: bool = Field(False, description="pressed once it begins, pressed again it ends")


class KeptSource(BaseModel):
    """One of several sources: a camera by its number, or a location; neither is the demo."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    camera: int | None = Field(None, ge=0)
    device: str = Field("", description="the camera's name, as in `Settings.camera_name`")
    location: str = Field("", description="a file or a stream")
    name: str = Field("", description="what the person calls it; empty: as the source is called")


class Settings(BaseModel):
    """Every field has a default, so that a file of an earlier version, or none, is enough."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    notice_accepted_on: str = Field("", description="date on which the first-start notice was read")
    capture_accepted_on: str = Field("", description="date on which capturing was agreed to")
    language: Language = "system"
    camera: int = Field(0, ge=0, description="number of the camera")
    camera_name: str = Field("", description="its name, by which it is found under another number")
    sources: tuple[KeptSource, ...] = Field((), description="where there were several at once")
    recent_locations: tuple[str, ...] = Field((), description="files and streams, the last first")
    camera_size_wh: tuple[int, int] | None = Field(None, description="None: the camera's own")
    camera_fps: int | None = Field(None, ge=1, le=1000, description="None: the camera's own")
    mirror: bool = Field(True, description="of a camera; files are never mirrored")
    model: str | None = Field(None, description="an .onnx file; None: the shipped one")
    provider: Provider = "auto"
    detector: DetectorMode = "auto"
    prior: str = Field("everyday", description="which expressions are to be expected")
    readings: Literal[1, 2] | None = Field(None, description="of each face; None: as time allows")
    calm: float = Field(0.5, ge=0, le=1, description="0 quick .. 1 calm")
    show_heat_map: bool = Field(False, alias="show_attention", description="as the file calls it")
    signals: bool = Field(False, description="whether head, eyes and mouth are measured")
    show_timeline: bool = True
    timeline_lines: bool = Field(False, description="a line for each expression, not a stack")
    timeline_lanes: bool = Field(False, description="a lane for each face")
    timeline_episodes: bool = Field(False, description="a list of the episodes")
    show_panel: bool = True
    show_faces: bool = Field(True, description="all faces of the last minute, a row each")
    show_plane: bool = Field(False, description="valence and arousal, derived")
    record_overlay: bool = False
    theme: Theme = "system"
    spare_battery: bool = Field(True, description="whether fewer frames are read on a battery")
    person: str = Field(
        "me",
        max_length=60,
        description="whose clips and takes are captured",
    )
    clips_limit_mb: int = Field(2000, ge=10, description="what captured clips may take in all, MB")
    marker_keys: tuple[MarkerKey, ...] = Field((), max_length=9, description="of the keys 1 to 9")
    recent_markers: tuple[str, ...] = Field((), description="texts that were typed, the last first")
    geometry: str = Field("", description="place and size of the window, as Qt encodes them")

    @field_validator("person")
    @classmethod
    def _person_has_a_folder(cls, name: str) -> str:
        if not can_be_folder(name):
            raise ValueError("cannot be the name of a folder")
        return name

    def but(self, **changes: object) -> "Settings":
        """These settings with some fields changed; pydantic checks the new values."""
        return Settings.model_validate(self.model_dump() | changes)


def load_settings() -> tuple[Settings, str]:
    """The stored settings, and a line for the person where their file could not be used.

    Such a file is set aside, under a name that the line tells, and the defaults are taken.
    """
    path = home() / SETTINGS_FILE
    try:
        return Settings.model_validate_json(read_whole(path)), ""
    except FileNotFoundError:
        return Settings(), ""
    except OSError as error:
        why = error.strerror or str(error)
        return Settings(), tr(
            "{path}: cannot be read: {why}; the defaults are used", path=path, why=why
        )
    except ValidationError:
        aside = free_place(path.with_stem(f"{path.stem}.unusable"))
        return Settings(), _set_aside(path, aside)


def save_settings(settings: Settings) -> None:
    """Replace the file in one step; raises `OutputError`. Of two windows, the last one wins."""
    content = settings.model_dump_json(indent=2, by_alias=True).encode() + b"\n"
    write_atomically(home() / SETTINGS_FILE, content, is_private=True)


def forget_earlier_settings() -> None:
    """Delete what was set aside because it could not be used, and what a kill cut off while it was
    written; names may stand in both. Raises `OutputError`."""
    with alone_with(home() / SETTINGS_FILE):
        forget_cut_off(home() / SETTINGS_FILE, within_s=0)
        for aside in home().glob(f"{Path(SETTINGS_FILE).stem}.unusable*"):
            delete_file(aside)


def change_settings(changes: Mapping[str, object], instead: Settings | None = None) -> Settings:
    """Change some of the stored settings and leave the others, which another window may be changing
    at this moment, as they are.

    Args:
        changes: Field -> value.
        instead: What is changed where the file cannot be used; None: the defaults.

    Returns:
        What is stored now.

    Raises:
        OutputError: The disk refuses; the file is as it was.
    """
    with alone_with(home() / SETTINGS_FILE):
        stored, trouble = load_settings()
        changed = (instead if trouble and instead is not None else stored).but(**changes)
        forget_cut_off(home() / SETTINGS_FILE)
        save_settings(changed)
    return changed


def settings_changed_ns() -> int:
    """When the file was last written, to see that another process did; 0 where there is none."""
    try:
        return (home() / SETTINGS_FILE).stat().st_mtime_ns
    except OSError:
        return 0


def _set_aside(path: Path, aside: Path) -> str:
    with writing(aside):
        path.replace(aside)
        if not aside.is_symlink():  # a person may have written it with an editor
            aside.chmod(0o600)
    return tr(
        "{path}: not settings of this app; kept as {name}, the defaults are used",
        path=path,
        name=aside.name,
    )
