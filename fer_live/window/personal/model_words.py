"""What a model is called in the window."""

from fer_live.base.translation import tr
from fer_live.personal.models import SHIPPED, InstalledModel


def name_of(model: InstalledModel) -> str:
    """The person's name for it; the one that came with the app has none of its own."""
    return tr("the one that came with the app") if model.name == SHIPPED else model.name
