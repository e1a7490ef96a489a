import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live.base.settings import Settings
from fer_live.errors import InputError
from fer_live.outputs.osc import osc_name
from fer_live.sources.choice import Camera, Demo, Location
from fer_live.sources.several import (
    MAX_NAME,
    NamedSource,
    clean_name,
    free_name,
    kept_sources,
    named,
    refuse_one_camera_twice,
    to_keep,
)


@pytest.mark.parametrize(
    ("wanted", "taken", "name"),
    [
        ("camera 0", (), "camera 0"),
        ("", (), "source"),
        ("a.mp4", ("a.mp4",), "a.mp4 2"),
        ("a.mp4", ("a.mp4", "a.mp4 2"), "a.mp4 3"),
        ("Left", ("left",), "Left 2"),
        ("left eye", ("left_eye",), "left eye 2"),
        (" two\n lines\t", (), "two lines"),
        ("왼쪽", ("오른쪽",), "왼쪽"),
    ],
)
def test_a_name_is_one_line_and_nobody_elses(wanted: str, taken: tuple[str, ...], name: str):
    assert free_name(wanted, taken) == name


@given(st.lists(st.text(max_size=80), min_size=1, max_size=8))
def test_any_names_become_different_addresses(names: list[str]):
    given_names = [name for name, _ in named([NamedSource(Demo(), name) for name in names])]
    assert len({osc_name(name) for name in given_names}) == len(names)
    assert all(len(clean_name(name)) <= MAX_NAME for name in names)


def test_sources_are_called_as_given_or_by_themselves():
    sources = [
        NamedSource(Camera(1), "left"),
        NamedSource(Camera(0)),
        NamedSource(Location("x/a.mp4")),
        NamedSource(Location("y/a.mp4")),
    ]
    assert [name for name, _ in named(sources)] == ["left", "camera 0", "a.mp4", "a.mp4 2"]


def test_a_camera_is_opened_once_and_a_file_as_often_as_wanted():
    refuse_one_camera_twice([Location("a.mp4"), Location("a.mp4"), Camera(0), Camera(1), Demo()])
    with pytest.raises(InputError, match="camera 1"):
        refuse_one_camera_twice([Camera(1), Demo(), Camera(1, device="desk")])


def test_several_sources_are_kept_for_the_next_start_and_one_is_not():
    sources = [
        NamedSource(Camera(2, device="desk"), "left"),
        NamedSource(Location("rtsp://host/x")),
        NamedSource(Demo(), "fake"),
    ]
    kept = Settings().but(sources=to_keep(sources))
    again = Settings.model_validate_json(kept.model_dump_json())
    assert kept_sources(again) == sources
    assert to_keep(sources[:1]) == ()
    assert kept_sources(Settings()) == []
