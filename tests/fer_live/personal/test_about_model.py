"""What is told of a model whose manifest somebody else wrote."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from fer_live.model.manifest import CropGeometry, Manifest
from fer_live.personal.about_model import facts, made_on, score
from fer_live.personal.models import InstalledModel

ODD: tuple[Any, ...] = (None, "x", [], {}, [1], {"a": 1}, float("nan"), float("inf"), 10**400, True)
PLACES = (
    *(("metrics", "priors"), ("metrics", "priors", "n"), ("metrics", "priors", "everyday")),
    *(("metrics", "priors", "everyday", "accuracy"), ("metrics", "on_takes_left_out")),
    *(("metrics", "on_takes_left_out", name) for name in ("n_takes", "before", "after")),
    *(("training", name) for name in ("n_images", "n_unlabeled", "made_on", "personalized")),
    *(("training", "personalized", name) for name in ("n_labeled", "n_unlabeled", "name")),
)


@dataclass
class Written:
    told: Manifest
    folder: Path | None = None

    def manifest(self) -> Manifest:
        return self.told


def manifest(*, is_personal: bool) -> dict[str, Any]:
    takes = {"on_takes_left_out": {"n_takes": 4, "before": 0.5, "after": 0.75}}
    return {
        "labels": ["a", "b"],
        "input_side": 48,
        "crop": CropGeometry().model_dump(),
        "metrics": {
            "priors": {"n": 100, "everyday": {"accuracy": 0.8}},
            **(takes if is_personal else {}),
        },
        "training": {
            "n_images": 1000,
            "n_unlabeled": 10,
            "made_on": "2026-11-26",
            **({"personalized": {"n_labeled": 3, "name": "me"}} if is_personal else {}),
        },
    }


@pytest.mark.parametrize("is_personal", [True, False])
@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_no_figure_that_is_none_ends_the_window(place, odd: Any, *, is_personal: bool):
    content = manifest(is_personal=is_personal)
    holder = content
    for name in place[:-1]:
        holder = holder.setdefault(name, {})
    holder[place[-1]] = odd
    told = Manifest.model_validate(content)
    assert all(fact.answer for fact in facts(cast(InstalledModel, Written(told))))
    assert isinstance(score(told) + made_on(told), str)


def test_figures_are_told():
    known = Manifest.model_validate(manifest(is_personal=False))
    assert score(known) == "reads 80% of test pictures"
    own = Manifest.model_validate(manifest(is_personal=True))
    assert score(own) == "reads 75% of your test takes"
