import json
from pathlib import Path

from PyQt6.QtWidgets import QDialogButtonBox, QLabel, QMessageBox

from fer_live.personal.about_model import facts
from fer_live.personal.models import find_model, list_models
from fer_live.window.main_window import MainWindow
from fer_live.window.notices import Notice
from fer_live.window.personal.model_dialog import ModelDialog
from fer_live.window.personal.personal_page import PersonalPage
from tests.helpers.window import CONSENTED, open_demo_window


def install_copy_of_the_shipped(home: Path, name: str) -> Path:
    from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL, asset

    folder = home / "models" / name
    folder.mkdir(parents=True)
    for variant in (CPU_MODEL, GPU_MODEL, CHECKPOINT):
        (folder / variant).write_bytes(asset(variant).read_bytes())
    return folder


def test_a_running_window_takes_the_model_that_was_chosen_elsewhere(qtbot, run_cli, own_home: Path):
    folder = install_copy_of_the_shipped(own_home, "me")
    window = open_demo_window(qtbot)
    assert [model.name for model in list_models()] == ["shipped", "me"]
    used = run_cli("fer-live", "models", "use", "me")
    assert used.returncode == 0, used.stderr
    assert "* me" in run_cli("fer-live", "models", "list").stdout
    qtbot.waitUntil(
        lambda: window.pipeline is not None and window.pipeline.classifier.name == "me",
        timeout=60_000,
    )
    removed = run_cli("fer-live", "models", "remove", "me")
    assert removed.returncode == 0, removed.stderr
    assert not folder.exists()
    qtbot.waitUntil(
        lambda: window.pipeline.classifier.name == "fer_live_int8.onnx",  # type: ignore[union-attr]
        timeout=60_000,
    )
    assert json.loads((own_home / "settings.json").read_text())["model"] is None


def test_models_are_used_and_removed_with_one_click(qtbot, own_home: Path, monkeypatch):
    folder = install_copy_of_the_shipped(own_home, "me")
    settings = [CONSENTED]

    def change(changes: dict[str, object]) -> None:
        settings[0] = settings[0].but(**changes)

    page = PersonalPage(lambda: settings[0], change)
    qtbot.addWidget(page, before_close_func=lambda p: p.stop())
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: page.clips._empty.isVisible(), timeout=60_000)
    assert "Capture" in page.learning.message
    page.models.list.setCurrentRow(1)
    page.models.use_button.click()
    assert settings[0].model == str(folder)
    assert page.models.list.item(1).text().startswith("●")
    page.models.list.setCurrentRow(0)
    page.models.use_button.click()
    assert settings[0].model is None
    page.models.card_button.click()
    details = page.models.findChild(ModelDialog)
    assert details is not None
    assert details.windowTitle() == "the one that came with the app"
    words = " ".join(label.text() for label in details.findChildren(QLabel))
    assert "86%" in words, "how well it reads"
    assert "27494 labeled pictures of faces" in words
    assert not details.card.isVisible(), "QDQ and shell commands are for developers"
    assert "QDQ" not in words
    details.developer.click()
    assert details.card.isVisible()
    assert find_model("shipped").manifest().training["data"] in details.card.toPlainText()
    sideways = details.card.horizontalScrollBar()
    qtbot.waitUntil(lambda: sideways.maximum() <= 2 and not sideways.isVisible())
    details.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Close).click()
    assert not details.isVisible()
    page.models.list.setCurrentRow(1)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    page.models.remove_button.click()
    assert page.models.list.count() == 1
    assert not folder.exists()


def test_a_model_of_an_older_base_goes_on_and_says_so(qtbot, own_home: Path, monkeypatch):
    import onnx
    from onnx import helper

    from fer_live.model.manifest import MANIFEST_KEY, Manifest

    folder = install_copy_of_the_shipped(own_home, "me")
    for file in folder.glob("*.onnx"):
        model = onnx.load(str(file))
        text = next(item.value for item in model.metadata_props if item.key == MANIFEST_KEY)
        manifest = Manifest.model_validate_json(text)
        story = {"name": "me", "closed_form": True, "base_sha256": "of another model"}
        training = {**manifest.training, "personalized": story}
        made = manifest.model_copy(update={"training": training})
        helper.set_model_props(model, {MANIFEST_KEY: made.to_json()})
        onnx.save(model, str(file))
    said: list[Notice] = []
    monkeypatch.setattr(MainWindow, "say", lambda window, line: said.append(line))
    window = open_demo_window(qtbot, CONSENTED.but(model=str(folder)))
    assert window.pipeline is not None and window.pipeline.classifier.name == "me"
    assert any("A newer model came with the app" in line.text for line in said)
    page = window.later.personal
    window.pages.turn_to("personal")
    page.models.list.setCurrentRow(1)
    qtbot.waitUntil(lambda: page.models._note.isVisible(), timeout=60_000)
    qtbot.waitUntil(lambda: "older base" in page.models.list.item(1).text(), timeout=60_000)
    assert page.models.remake_button.isEnabled()


def test_the_list_tells_score_and_day_of_each_model(qtbot, own_home: Path):
    import onnx
    from onnx import helper

    from fer_live.model.manifest import MANIFEST_KEY, Manifest

    folder = install_copy_of_the_shipped(own_home, "me")
    for file in folder.glob("*.onnx"):
        model = onnx.load(str(file))
        text = next(item.value for item in model.metadata_props if item.key == MANIFEST_KEY)
        manifest = Manifest.model_validate_json(text)
        story = {"name": "me", "closed_form": True, "verdict": "proven", "n_labeled": 480}
        training = {**manifest.training, "personalized": story, "made_on": "2026-11-25"}
        left_out = {"n_takes": 16, "before": 0.5, "after": 0.75, "interval": [0.1, 0.4]}
        metrics = {"on_takes_left_out": left_out}
        made = manifest.model_copy(update={"training": training, "metrics": metrics})
        helper.set_model_props(model, {MANIFEST_KEY: made.to_json()})
        onnx.save(model, str(file))
    page = PersonalPage(lambda: CONSENTED, lambda _: None)
    qtbot.addWidget(page, before_close_func=lambda p: p.stop())
    page.refresh()
    models = page.models.list
    qtbot.waitUntil(lambda: "2026-11-25" in models.item(1).text(), timeout=60_000)
    assert "reads 75% of your test takes" in models.item(1).text()
    assert "reads 86% of test pictures" in models.item(0).text()
    told = {fact.about: fact.answer for fact in facts(find_model("me"))}
    assert "the model before it reached 50%" in told["How well it reads"]
    assert "480 pictures of me, on 2026-11-25" in told["Learnt from"]


def test_delete_everything_says_what_it_cannot_do(qtbot, own_home: Path, monkeypatch):
    """A link is told and nothing goes; a model that nothing tells of stays, and can be removed."""
    spoilt = own_home / "models" / "spoilt"
    spoilt.mkdir(parents=True)
    (spoilt / "fer_live_fp32.onnx").write_bytes(b"spoilt")
    clip = own_home / "persons" / "Ada" / "clips" / "2026-11-25 14.03.22"
    clip.mkdir(parents=True)
    settings = [CONSENTED.but(person="Ada", model=str(spoilt / "fer_live_fp32.onnx"))]

    def change(changes: dict[str, object]) -> None:
        settings[0] = settings[0].but(**changes)

    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    page = PersonalPage(lambda: settings[0], change)
    qtbot.addWidget(page, before_close_func=lambda p: p.stop())
    page.show()
    (own_home / "retraining").symlink_to(own_home / "models")
    page.forget_button.click()
    assert "retraining: is a link" in page._said.text()
    assert clip.is_dir() and settings[0].person == "Ada"
    (own_home / "retraining").unlink()
    page.forget_button.click()
    assert not (own_home / "persons" / "Ada").exists() and settings[0].person == "me"
    assert "may be theirs: spoilt" in page._said.text()
    row = page.models.list.count() - 1
    qtbot.waitUntil(lambda: "cannot be read" in page.models.list.item(row).text(), timeout=60_000)
    page.models.list.setCurrentRow(row)
    page.models.remove_button.click()
    assert not spoilt.exists() and settings[0].model is None
