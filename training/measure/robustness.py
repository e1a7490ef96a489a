"""`fer-train robustness`: accuracy under corruptions in three strengths, models side by side."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fer_live.errors import InputError
from fer_live.vision.answers import DEFAULT_ANSWERS, AnswerConfig
from training.measure.corruptions import CORRUPTIONS, CROP_CORRUPTIONS, STRENGTHS, corrupt
from training.measure.evaluate import evaluate_crops, load_crops, open_model, require_distinct
from training.measure.markdown import table_row


def measure_robustness(
    model_paths: list[Path],
    data: str,
    *,
    split: str | None,
    rule: str | None,
    answers: AnswerConfig = DEFAULT_ANSWERS,
) -> dict[str, Any]:
    """Measure the accuracy of every model on images as they are, and on the same images corrupted.

    `accuracy` holds model -> "clean" -> a number, and model -> corruption -> one number per
    strength. The same images are shown to every model. Raises `InputError` as `evaluate` does.
    """
    require_distinct(model_paths)
    models = {str(path): open_model(path, answers) for path in model_paths}
    first = next(iter(models.values()))
    sides = {model.manifest.input_side for model in models.values()}
    if len(sides) > 1:
        raise InputError(f"models of different input sides, {sorted(sides)}; measure them apart")
    labeled = load_crops(data, split, rule, sides.pop(), first.manifest.labels)

    accuracy: dict[str, dict[str, Any]] = {
        name: {"clean": evaluate_crops(model, labeled).accuracy} for name, model in models.items()
    }
    for corruption in tqdm(CORRUPTIONS, desc="corruptions", unit="kind", disable=None):
        for strength in STRENGTHS:
            corrupted = labeled.with_images(corrupt(corruption, labeled.images, strength))
            for name, model in models.items():
                figure = evaluate_crops(model, corrupted).accuracy
                accuracy[name].setdefault(corruption, []).append(figure)
    return {
        "n": len(labeled),
        "data": data,
        "split": split,
        "rule": rule,
        "readings": answers.readings,
        "prior": answers.prior,
        "described": {name: function.__doc__ for name, function in CORRUPTIONS.items()},
        "accuracy": accuracy,
    }


def to_markdown(result: dict[str, Any]) -> str:
    """Write two tables, of what a webcam does and of how the crop lies.

    Each has one row per corruption and three columns per model, in percent; the last row is the
    mean.
    """
    return "\n".join(_lines(result)) + "\n"


def _lines(result: dict[str, Any]) -> Iterable[str]:
    rule = f" by the rule {result['rule']}" if result["rule"] else ""
    read = f"{result['readings']} readings, prior {result['prior']}"
    yield f"Accuracy in percent, {result['n']:,} images of {result['split']}{rule}; {read}.\n"
    of_webcam = [name for name in result["described"] if name not in CROP_CORRUPTIONS]
    yield from _table("corruption", of_webcam, result)
    yield ""
    yield from _table("jitter of the crop", list(CROP_CORRUPTIONS), result)


def _table(title: str, corruptions: list[str], result: dict[str, Any]) -> Iterable[str]:
    models = result["accuracy"]
    yield table_row(title, *(f"{name}, {s}" for name in models for s in STRENGTHS))
    yield table_row("---", *("---" for _ in models for _ in STRENGTHS))
    clean = [f"{100 * of['clean']:.1f}" for of in models.values()]
    yield table_row("none", *(cell for figure in clean for cell in (figure, "", "")))
    for corruption in corruptions:
        described = result["described"][corruption]
        figures = [f"{100 * x:.1f}" for of in models.values() for x in of[corruption]]
        yield table_row(f"{corruption.replace('_', ' ')}: {described}", *figures)
    means = []
    for of in models.values():
        columns = zip(*(of[corruption] for corruption in corruptions), strict=True)
        means += [f"{100 * sum(column) / len(column):.1f}" for column in columns]
    yield table_row("mean", *means)
