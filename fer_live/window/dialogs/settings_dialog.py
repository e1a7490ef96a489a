"""The settings: what is chosen there holds at once and is kept."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QWidget,
)

from fer_live.base.settings import Settings
from fer_live.base.translation import LANGUAGES, tr
from fer_live.window.translated import Translated

_SIZES = ((640, 480), (1280, 720), (1920, 1080))
_RATES = (15, 30, 60)
_CALM_STEPS = 20


class SettingsDialog(Translated, QDialog):
    """Shows `Settings` and hands every change to `change`, by the name of its field."""

    def __init__(
        self, parent: QWidget, settings: Settings, change: Callable[[dict[str, object]], None]
    ) -> None:
        super().__init__(parent)
        self._change = change
        self._form = QFormLayout(self)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._labels: list[tuple[QLabel, Callable[[], str]]] = []

        self._size = self._combo("camera_size_wh", lambda: tr("Camera picture"))
        self._rate = self._combo("camera_fps", lambda: tr("Camera frames a second"))
        self._mirror = self._check("mirror", lambda: tr("Mirror the camera"))
        self._calm = QSlider(Qt.Orientation.Horizontal)
        self._calm.setRange(0, _CALM_STEPS)
        self._calm.valueChanged.connect(lambda step: self._change({"calm": step / _CALM_STEPS}))
        self._quick_label, self._calm_label = QLabel(), QLabel()
        self._row(lambda: tr("Labels"), self._calm, self._quick_label, self._calm, self._calm_label)
        self._heat_map = self._check("show_heat_map", lambda: tr("Show where the model looked"))
        self._overlay = self._check("record_overlay", lambda: tr("Record with boxes and labels"))
        self._prior = self._combo("prior", lambda: tr("Expect"))
        self._readings = self._combo("readings", lambda: tr("Read each face"))
        self._detector = self._combo("detector", lambda: tr("Face detector"))
        self._provider = self._combo("provider", lambda: tr("Runs on"))
        self._model = QPushButton()
        self._model.clicked.connect(self._choose_model)
        self._shipped = QPushButton()
        self._shipped.clicked.connect(lambda: self._change({"model": None}))
        self._row(lambda: tr("Model"), self._model, self._model, self._shipped)
        self._spare = self._check("spare_battery", lambda: tr("On battery, read fewer frames"))
        self._theme = self._combo("theme", lambda: tr("Colors"))
        self._language = self._combo("language", lambda: tr("Language"))
        self.show_settings(settings)

    def show_settings(self, settings: Settings) -> None:
        """Show these settings, in the language spoken now."""
        self._settings = settings
        self.setWindowTitle(tr("Settings"))
        for label, text in self._labels:
            label.setText(text())
            buddy = label.buddy()
            if buddy is not None:
                buddy.setAccessibleName(text())
        own = (None, tr("as the camera has it"))
        _fill(
            self._size, [own, *((s, f"{s[0]} x {s[1]}") for s in _SIZES)], settings.camera_size_wh
        )
        _fill(self._rate, [own, *((rate, str(rate)) for rate in _RATES)], settings.camera_fps)
        _fill(self._prior, _priors(settings.prior), settings.prior)
        readings = [(None, tr("by itself")), (1, tr("once")), (2, tr("twice, also mirrored"))]
        _fill(self._readings, readings, settings.readings)
        detectors = [("auto", tr("by itself")), ("short", tr("near faces"))]
        _fill(self._detector, [*detectors, ("full", tr("small and many faces"))], settings.detector)
        providers = [("auto", tr("by itself")), ("cpu", "CPU"), ("cuda", "CUDA")]
        _fill(self._provider, [*providers, ("tensorrt", "TensorRT")], settings.provider)
        languages = [("system", tr("as the system")), *LANGUAGES.items()]
        themes = [("system", tr("as the system")), ("light", tr("light")), ("dark", tr("dark"))]
        _fill(self._theme, themes, settings.theme)
        _fill(self._language, languages, settings.language)
        for check, name in (
            (self._mirror, "mirror"),
            (self._heat_map, "show_heat_map"),
            (self._overlay, "record_overlay"),
            (self._spare, "spare_battery"),
        ):
            _quietly(check, partial(check.setChecked, getattr(settings, name)))
        _quietly(self._calm, partial(self._calm.setValue, round(settings.calm * _CALM_STEPS)))
        self._quick_label.setText(tr("quick"))
        self._calm_label.setText(tr("calm"))
        name = Path(settings.model).name if settings.model else tr("the one that came with the app")
        self._model.setText(name)
        self._model.setToolTip(tr("Choose an exported model (.onnx)"))
        self._shipped.setText(tr("Back"))
        self._shipped.setEnabled(settings.model is not None)

    def translate(self) -> None:
        self.show_settings(self._settings)

    def _choose_model(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, tr("Choose an exported model (.onnx)"), "", "ONNX (*.onnx)"
        )
        if chosen:
            self._change({"model": chosen})

    def _combo(self, field: str, text: Callable[[], str]) -> QComboBox:
        combo = QComboBox()
        combo.activated.connect(lambda: self._change({field: combo.currentData()}))
        self._row(text, combo, combo)
        return combo

    def _check(self, field: str, text: Callable[[], str]) -> QCheckBox:
        check = QCheckBox()
        check.toggled.connect(lambda on: self._change({field: on}))
        self._row(text, check, check)
        return check

    def _row(self, text: Callable[[], str], buddy: QWidget, *widgets: QWidget) -> None:
        label = QLabel()
        label.setBuddy(buddy)
        self._labels.append((label, text))
        row = QHBoxLayout()
        for widget in widgets:
            row.addWidget(widget, 1 if widget is buddy else 0)
        self._form.addRow(label, row)


def _priors(chosen: str) -> list[tuple[str, str]]:
    """The two that shipped models have, and another one where it is chosen."""
    known = [
        ("everyday", tr("everyday faces, mostly neutral")),
        ("expressive", tr("any expression, equally likely")),
    ]
    return known if chosen in dict(known) else [*known, (chosen, chosen)]


def _fill(combo: QComboBox, entries: Sequence[tuple[object, str]], chosen: object) -> None:
    def fill() -> None:
        combo.clear()
        for value, text in entries:
            combo.addItem(text, value)
        values = [value for value, _ in entries]
        combo.setCurrentIndex(values.index(chosen) if chosen in values else 0)

    _quietly(combo, fill)


def _quietly(widget: QWidget, change: Callable[[], object]) -> None:
    """Show a value without taking that for the person's choice."""
    widget.blockSignals(True)
    change()
    widget.blockSignals(False)
