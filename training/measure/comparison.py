"""`fer-train compare`: models side by side on the same images, every recall with its interval."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fer_live.vision.answers import DEFAULT_ANSWERS, AnswerConfig
from training.measure.evaluate import evaluate, require_distinct
from training.measure.markdown import table_row

_FIGURES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "balanced_accuracy": "balanced accuracy",
    "ece": "ECE",
}


def compare(
    model_paths: list[Path],
    data: str,
    *,
    split: str | None,
    rule: str | None,
    without: Path | None = None,
    answers: AnswerConfig = DEFAULT_ANSWERS,
) -> dict[str, dict[str, Any]]:
    """Return what `evaluate` says of each model, by its path. Raises `InputError` as that does."""
    require_distinct(model_paths)
    return {
        str(path): evaluate(path, data, split=split, rule=rule, without=without, answers=answers)
        for path in model_paths
    }


def to_markdown(by_model: dict[str, dict[str, Any]]) -> str:
    """Write one table with one column per model.

    First the figures, then every label's recall in percent, with the ends of its 95 % interval.
    """
    return "\n".join(_lines(by_model)) + "\n"


def _lines(by_model: dict[str, dict[str, Any]]) -> Iterable[str]:
    first = next(iter(by_model.values()))
    rule = f" by the rule {first['rule']}" if first["rule"] else ""
    without = f" without those of {Path(first['without']).name}" if "without" in first else ""
    read = f"{first['readings']} readings, prior {first['prior']}"
    yield f"{first['n']:,} images of {first['split'] or first['data']}{rule}{without}; {read}.\n"
    yield table_row("", *by_model)
    yield table_row("---", *("---" for _ in by_model))
    for name, title in _FIGURES.items():
        yield table_row(title, *(f"{figures[name]:.4f}" for figures in by_model.values()))
    for label, confusions in zip(first["labels"], first["confusion"], strict=True):
        if n := sum(confusions):
            cells = (_recall(figures, label) for figures in by_model.values())
            yield table_row(f"recall of {label} ({n:,})", *cells)


def _recall(figures: dict[str, Any], label: str) -> str:
    if figures["recall"].get(label) is None:
        return ""  # a model that has no such label
    low, high = figures["recall_interval"][label]
    return f"{100 * figures['recall'][label]:.1f} ({100 * low:.1f} to {100 * high:.1f})"
