import json

import pytest

from fer_live.errors import ModelError
from fer_live.model.manifest import EXPRESSIONS, CropGeometry, Manifest, parse_manifest

GOOD = Manifest(labels=EXPRESSIONS, input_side=48, crop=CropGeometry())


def changed(**changes: object) -> str:
    return json.dumps({**json.loads(GOOD.to_json()), **changes})


def test_it_survives_the_way_through_a_file():
    assert parse_manifest(GOOD.to_json(), "a.onnx") == GOOD
    assert json.loads(GOOD.to_json())["schema"] == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "no FER Live manifest"),
        ("", "unusable manifest"),
        ("{", "unusable manifest"),
        ("{}", "labels"),
        (changed(schema=2), "schema"),
        (changed(labels=["a", "a"]), "distinct"),
        (changed(input_side="big"), "input_side"),
        (changed(temperature=0), "temperature"),
        (changed(surprise=1), "surprise"),
    ],
)
def test_what_is_missing_or_contradictory_is_refused_in_one_line(text: str | None, says: str):
    with pytest.raises(ModelError, match=says) as caught:
        parse_manifest(text, "a.onnx")
    assert str(caught.value).startswith("a.onnx: ")
    assert "\n" not in str(caught.value)
