"""What ships is what NOTICE says, and what the docs name is what the code needs."""

import hashlib
import subprocess
from pathlib import Path

from fer_live.base.system_libraries import packages
from fer_live.model.assets import CPU_MODEL, GPU_MODEL
from fer_live.sources.choice import DEMO_CLIP
from fer_live.vision.answers import AnswerConfig
from fer_live.vision.classifier import ExpressionClassifier
from tools.demo.portraits import PORTRAITS
from training.data.fer2013 import load_fer2013
from training.models.checkpoint import load_model

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "assets"
PAGES = ROOT / "fer_live/base/pages"
OURS = {
    "NOTICE",
    "fer-live.desktop",
    "fer-live.metainfo.xml",
    "icon.svg",
    "make_demo.py",
    "make_face_cover.py",
    "make_face_descriptor.py",
    "face_cover.onnx",
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
    pages = {f"fer_live/base/pages/{path.name}" for path in PAGES.glob("*.min.*")}
    assert len(pages) == 2
    assert there | pages | {"docs/iframe-worker.js"} == set(noted())


def test_the_hashes_are_those_of_the_files():
    for name, digest in noted().items():
        path = ROOT / name if "/" in name else ASSETS / name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, name


def test_the_portraits_of_the_demo_are_noted_with_their_hashes():
    notice = (ASSETS / "NOTICE").read_text()
    assert len(PORTRAITS) == 4
    assert [p.name for p in PORTRAITS if p.sha256 not in notice or p.name not in notice] == []


def test_the_demo_and_the_animation_are_small():
    assert (ASSETS / DEMO_CLIP).stat().st_size <= 4_000_000
    assert (ROOT / "docs/window.webp").stat().st_size <= 2_500_000


def test_the_shipped_models_carry_the_model_card():
    card = (ROOT / "docs" / "model_card.md").read_text()
    for name in ("fer_live_fp32.onnx", "fer_live_int8.onnx"):
        assert ExpressionClassifier(ASSETS / name, "cpu").manifest.card == card
    assert load_model(ASSETS / "fer_live.safetensors")[1].card == card


def test_makefile_and_readme_read_the_one_list_of_system_packages():
    read = "awk '!/^#/ {print $2}' fer_live/base/system_packages.txt"
    assert f"sudo apt-get install -y $({read})" in (ROOT / "README.md").read_text()
    assert "fer_live/base/system_packages.txt" in (ROOT / "Makefile").read_text()
    listed = subprocess.run(
        ["sh", "-c", read], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(listed.stdout.split()) == set(packages().values())
    assert set(packages(headless=True)) < set(packages())


def test_int8_reads_faces_as_fp32_does(public_test_faces: Path):
    """On this processor; that no other one reads them differently is proven from the weights."""
    faces = load_fer2013(public_test_faces).select("PublicTest", "ferplus-argmax").images
    # One reading of each face: the mean of several would hide a part of the difference.
    int8, fp32 = (
        ExpressionClassifier(ASSETS / name, "cpu", AnswerConfig(readings=1)).classify(faces)
        for name in (CPU_MODEL, GPU_MODEL)
    )
    assert (int8.argmax(axis=1) == fp32.argmax(axis=1)).mean() >= 0.98
