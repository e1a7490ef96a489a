import numpy as np
import pytest

from fer_live import derived_valence_arousal
from fer_live.base.circumplex import DERIVED_COLUMNS, VALENCE_AROUSAL, derived_columns
from fer_live.model.head import among_common
from fer_live.model.manifest import EXPRESSIONS

OWN = (*EXPRESSIONS, "wink left")


def test_a_sure_expression_lies_at_its_own_place():
    places = derived_valence_arousal(np.eye(8, dtype=np.float32), EXPRESSIONS)
    np.testing.assert_allclose(places, [VALENCE_AROUSAL[label] for label in EXPRESSIONS], atol=1e-6)


def test_a_mixture_lies_between():
    probs = np.zeros(8, np.float32)
    probs[[EXPRESSIONS.index("happiness"), EXPRESSIONS.index("neutral")]] = 0.25, 0.75
    np.testing.assert_allclose(
        derived_valence_arousal(probs, EXPRESSIONS), (0.2025, 0.1275), atol=1e-6
    )


def test_contempt_is_midway_between_anger_and_disgust():
    middle = np.mean([VALENCE_AROUSAL["anger"], VALENCE_AROUSAL["disgust"]], axis=0)
    np.testing.assert_allclose(VALENCE_AROUSAL["contempt"], middle)


def test_expressions_of_ones_own_do_not_count():
    probs = np.random.default_rng(0).dirichlet(np.ones(9), 20).astype(np.float32)
    np.testing.assert_allclose(
        derived_valence_arousal(probs, OWN),
        derived_valence_arousal(among_common(probs, 8), EXPRESSIONS),
        atol=1e-6,
    )


def test_a_model_of_seven_needs_no_contempt():
    seven = EXPRESSIONS[:7]
    probs = np.full(7, 1 / 7, np.float32)
    expected = np.mean([VALENCE_AROUSAL[label] for label in seven], axis=0)
    np.testing.assert_allclose(derived_valence_arousal(probs, seven), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("probs", "labels"), [([1.0], ("wink left",)), ([0.0] * 8 + [1.0], OWN)], ids=["none", "all"]
)
def test_where_nothing_is_known_cells_are_empty(probs: list[float], labels: tuple[str, ...]):
    array = np.array(probs, np.float32)
    assert np.isnan(derived_valence_arousal(array, labels)).all()
    assert derived_columns(array, labels) == {"valence": None, "arousal": None}


def test_columns_are_rounded_and_in_order():
    columns = derived_columns(np.full(8, 1 / 8, np.float32), EXPRESSIONS)
    assert tuple(columns) == DERIVED_COLUMNS
    valence, arousal = np.mean(list(VALENCE_AROUSAL.values()), axis=0)
    assert columns == {"valence": round(valence, 4), "arousal": round(arousal, 4)}


def test_another_number_of_probabilities_is_refused():
    with pytest.raises(ValueError, match=r"expected \(\.\.\., 8\), got \(7,\)"):
        derived_valence_arousal(np.zeros(7, np.float32), EXPRESSIONS)
