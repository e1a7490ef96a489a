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
        (changed(own_labels=["wink left"]), "own_labels must end the labels"),
        (changed(own_labels=["neutral"]), "own_labels must end the labels"),
        (changed(own_labels=EXPRESSIONS[1:]), "after two others or more"),
    ],
)
def test_what_is_missing_or_contradictory_is_refused_in_one_line(text: str | None, says: str):
    with pytest.raises(ModelError, match=says) as caught:
        parse_manifest(text, "a.onnx")
    assert str(caught.value).startswith("a.onnx: ")
    assert "\n" not in str(caught.value)


def test_a_persons_own_labels_come_last_and_manifests_without_the_field_have_none():
    old = json.loads(GOOD.to_json())
    del old["own_labels"]
    assert parse_manifest(json.dumps(old), "a.onnx") == GOOD
    assert GOOD.common_labels == EXPRESSIONS
    text = changed(labels=[*EXPRESSIONS, "wink left"], own_labels=["wink left"])
    own = parse_manifest(text, "a.onnx")
    assert own.common_labels == EXPRESSIONS and own.own_labels == ("wink left",)
    assert own.without_own_labels() == GOOD


def test_other_peoples_embeddings_are_about_the_common_labels():
    statistics = {
        "class_means": [[0.0, 1.0]] * 8,
        "spread": [1.0, 1.0],
        "class_shares": [0.125] * 8,
        "n": 100,
    }
    labels = {"labels": [*EXPRESSIONS, "x"], "own_labels": ["x"]}
    assert parse_manifest(changed(**labels, embedding=statistics), "a.onnx").embedding
    for classes in (7, 9):
        wrong = {"class_means": [[0.0, 1.0]] * classes, "class_shares": [0.1] * classes}
        with pytest.raises(ModelError, match=f"{classes} class means for 8 labels"):
            parse_manifest(changed(**labels, embedding={**statistics, **wrong}), "a.onnx")
