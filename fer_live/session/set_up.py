"""What settings mean for a pipeline that runs already."""

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.errors import ModelError
from fer_live.vision.answers import AnswerConfig
from fer_live.vision.pipeline import Pipeline
from fer_live.vision.smoothing import SmoothingConfig

_SIGNALS_BUDGET = 0.35
"""Of one core: 30 frames a second of one face where it takes 11 ms, fewer where it takes longer."""


def set_up(pipeline: Pipeline, settings: Settings, n_sources: int = 1) -> str:
    """Set what a running pipeline can change; its next frame goes by it.

    Args:
        pipeline: The pipeline of one source.
        settings: What the person chose.
        n_sources: How many sources are read at once, which share the time for the signals.

    Returns:
        A line for the person where the model has not the prior that was chosen; else "".
    """
    pipeline.smoothing = SmoothingConfig.from_calm(settings.calm)
    pipeline.with_heat_map = settings.show_heat_map
    pipeline.with_signals = settings.signals
    pipeline.signals_budget = _SIGNALS_BUDGET / n_sources
    readings = settings.readings or 2
    try:
        pipeline.answers = AnswerConfig(readings, settings.prior)
    except ModelError:
        pipeline.answers = AnswerConfig(readings)
        return tr("This model knows no other prior than everyday")
    return ""
