import itertools
import shlex

import pytest

from fer_live.commands.cli import build_parser
from fer_live.commands.window import named_sources
from tests.helpers.documentation import commands

PAGE = "several_cameras.md"


@pytest.mark.parametrize("line", commands(PAGE, "sh"))
def test_the_commands_of_the_page_name_sources_in_their_order(line: str):
    program, *options = shlex.split(line)
    assert program == "fer-live"
    names = [
        source.given_name or source.choice.name
        for source in named_sources(build_parser().parse_args(options))
    ]
    written = [
        (f"camera {value}" if option == "--camera" else value.rpartition("/")[2])
        for option, value in itertools.pairwise(options)
        if option in ("--camera", "--source")
    ]
    given = [v for o, v in itertools.pairwise(options) if o == "--source-name"]
    assert names == [*given, *written[len(given) :]]
    assert len(names) >= 2
