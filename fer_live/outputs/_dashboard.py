"""The page that the WebSocket output shows on this machine."""

from fer_live.base.pages.whole_page import WholePage, label_entries, whole_page
from fer_live.base.translation import QUALITY_REASONS, tr, tr_advice
from fer_live.outputs.address import Address


def dashboard(labels: tuple[str, ...], addresses: list[Address]) -> WholePage:
    """The page in the language spoken now, for these labels.

    `addresses` are those under which the server answers: the page may connect to no other.
    """
    data = {
        "labels": label_entries(labels),
        "texts": {
            "face": tr("face {number}"),
            "history": tr("What face {number} showed in the last minutes"),
            "toggle": tr("Show or hide in the plots"),
            "away": tr("out of view"),
            "connected": tr("Connected: {source}"),
            "rate": tr("{rate} frames a second"),
            "quiet": tr("Connected, but no pictures are read at the moment"),
            "lost": tr("Not connected; trying again in {seconds} s. Is FER Live running?"),
            "full": tr("Too many receivers are connected; trying again in {seconds} s"),
            "test": tr("The test message has arrived: {text}"),
            "advice": {reason: tr_advice(reason) for reason in QUALITY_REASONS},
        },
    }
    # Not every browser takes 'self' for a WebSocket too, and a policy knows no IPv6 address.
    sockets = " ".join(f"ws://{address}" for address in addresses if ":" not in address.host)
    return whole_page("fer_live.outputs", "live", data, connects_to=f"'self' {sockets}")
