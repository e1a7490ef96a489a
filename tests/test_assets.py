"""What ships is what NOTICE says, and what the docs name is what the code needs."""

import hashlib
from pathlib import Path

from fer_live.base.system_libraries import PACKAGES
from fer_live.vision.classifier import ExpressionClassifier
from training.models.checkpoint import load_model

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "assets"
OURS = {
    "NOTICE",
    "fer-live.desktop",
    "icon.svg",
    "make_demo.py",
    "fer_live.safetensors",
    "fer_live_fp32.onnx",
    "fer_live_int8.onnx",
}


def noted() -> dict[str, str]:
    lines = (ASSETS / "NOTICE").read_text().splitlines()
    pairs = (line.split()[1:] for line in lines if line.startswith("sha256:"))
    return {name: digest for digest, name in pairs}


def test_every_file_that_is_not_ours_is_noted_with_its_hash():
    there = {path.name for path in ASSETS.iterdir() if path.is_file()} - OURS
    assert there == set(noted())


def test_the_hashes_are_those_of_the_files():
    for name, digest in noted().items():
        assert hashlib.sha256((ASSETS / name).read_bytes()).hexdigest() == digest, name


def test_the_shipped_models_carry_the_model_card():
    card = (ROOT / "docs" / "model_card.md").read_text()
    for name in ("fer_live_fp32.onnx", "fer_live_int8.onnx"):
        assert ExpressionClassifier(ASSETS / name, "cpu").manifest.card == card
    assert load_model(ASSETS / "fer_live.safetensors")[1].card == card


def test_makefile_and_readme_name_the_same_system_packages():
    for name in ("Makefile", "README.md"):
        words = (ROOT / name).read_text().replace("`", " ").split()
        assert set(PACKAGES.values()) <= set(words), name
