"""All kinds, by name: the family of each is imported only where one of its inputs is read."""

from importlib import import_module

from tests.trust.fuzz.kind import InputKind

_FAMILIES: dict[str, tuple[str, ...]] = {
    "media": (
        *("mp4", "mkv", "avi", "ts", "webm", "playlist"),
        *("gif", "jpeg", "png", "tiff", "webp", "bmp", "avif", "folder of images"),
    ),
    "models": ("model", "model head", "quantized model", "manifest", "profile"),
    "checkpoints": ("checkpoint", "resume", "annotations"),
    "personal": ("settings", "proof", "compared", "takes", "recording", "row index"),
    "tables": ("batch file", "markers file", "intervals", "study csv", "study jsonl"),
    "training": (
        *("fer2013", "fer2013 gz", "raf-db", "affectnet csv", "affectnet npy"),
        *("folder of labels", "mapped", "split list", "config", "grid"),
    ),
    "messages": ("osc", "websocket", "websocket handshake"),
    "requests": ("http request", "http upload", "http form"),
}
KINDS = tuple(kind for kinds in _FAMILIES.values() for kind in kinds)


def kind_called(name: str) -> InputKind:
    """The kind of this name."""
    family = next(family for family, kinds in _FAMILIES.items() if name in kinds)
    kinds: dict[str, InputKind] = import_module(f"tests.trust.fuzz.{family}").KINDS
    return kinds[name]
