"""The settings: what is chosen there holds at once and is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QStandardItemModel
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.self_contained import is_self_contained
from fer_live.base.settings import Settings
from fer_live.base.system_libraries import has_nvidia_driver
from fer_live.base.translation import LANGUAGES, tr
from fer_live.window.file_dialogs import ask_to_open
from fer_live.window.translated import Translated
from fer_live.window.widgets.scrolled import Scrolled, resize_within_screen, room_for

_SIZES = ((640, 480), (1280, 720), (1920, 1080))
_RATES = (15, 30, 60)
_CALM_STEPS = 20
_SHOWN_HERE = (
    "camera_size_wh",
    "camera_fps",
    "mirror",
    "calm",
    "show_heat_map",
    "record_overlay",
    "prior",
    "readings",
    "detector",
    "provider",
    "model",
    "spare_battery",
    "theme",
    "language",
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the form: its label's text, and the widget that the label belongs to."""

    label: QLabel
    text: Callable[[], str]
    widget: QWidget


class SettingsDialog(Translated, QDialog):
    """Shows `Settings` and hands every change to `change`, by the name of its field.

    `is_camera` tells whether the source is one: its rows have no effect on anything else.
    """

    def __init__(
        self,
        parent: QWidget,
        settings: Settings,
        change: Callable[[dict[str, object]], None],
        is_camera: Callable[[], bool],
    ) -> None:
        super().__init__(parent)
        self._change, self._is_camera, self._settings = change, is_camera, settings
        self._rows: list[_Row] = []
        self._groups: list[tuple[QGroupBox, Callable[[], str]]] = []
        form = QWidget()
        self._column = QVBoxLayout(form)
        self._make_camera_rows()
        self._make_reading_rows()
        self._make_app_rows()
        self._column.addStretch()
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._buttons.rejected.connect(self.reject)
        self._reset = QPushButton()
        self._reset.clicked.connect(self._restore_defaults)
        self._buttons.addButton(self._reset, QDialogButtonBox.ButtonRole.ResetRole)
        outer = QVBoxLayout(self)
        outer.addWidget(Scrolled(form), 1)
        outer.addWidget(self._buttons)
        self.show_settings(settings)
        resize_within_screen(self, room_for(form) + QSize(60, 90))

    def _make_camera_rows(self) -> None:
        form = self._group(lambda: tr("Camera"))
        self._size = self._combo(form, "camera_size_wh", lambda: tr("Picture"))
        self._rate = self._combo(form, "camera_fps", lambda: tr("Frames a second"))
        self._mirror = self._check(form, "mirror", lambda: tr("Mirrored"))
        self._spare = self._check(
            form, "spare_battery", lambda: tr("On battery, read fewer frames")
        )

    def _make_reading_rows(self) -> None:
        form = self._group(lambda: tr("Reading faces"))
        self._calm = QSlider(Qt.Orientation.Horizontal)
        self._calm.setRange(0, _CALM_STEPS)
        self._calm.valueChanged.connect(lambda step: self._change({"calm": step / _CALM_STEPS}))
        self._quick_label, self._calm_label = QLabel(), QLabel()
        texts = (self._quick_label, self._calm, self._calm_label)
        self._row(form, lambda: tr("Labels change"), self._calm, *texts)
        self._prior = self._combo(form, "prior", lambda: tr("Expect"))
        self._readings = self._combo(form, "readings", lambda: tr("Read each face"))
        self._detector = self._combo(form, "detector", lambda: tr("Look for"))
        self._provider = self._combo(form, "provider", lambda: tr("Runs on"))
        self._model, self._shipped = QPushButton(), QPushButton()
        self._model.clicked.connect(self._choose_model)
        self._shipped.clicked.connect(lambda: self._change({"model": None}))
        self._row(form, lambda: tr("Model"), self._model, self._model)
        form.addRow("", self._shipped)
        self._heat_map = self._check(
            form, "show_heat_map", lambda: tr("Show where the model looked")
        )

    def _make_app_rows(self) -> None:
        form = self._group(lambda: tr("App"))
        self._overlay = self._check(form, "record_overlay", lambda: tr("Record boxes and labels"))
        self._theme = self._combo(form, "theme", lambda: tr("Colors"))
        self._language = self._combo(form, "language", lambda: tr("Language"))

    def show_settings(self, settings: Settings) -> None:
        """Show these settings, in the language spoken now."""
        self._settings = settings
        self.setWindowTitle(tr("Settings"))
        for group, title in self._groups:
            group.setTitle(title())
        for row in self._rows:
            row.label.setText(row.text())
            row.widget.setAccessibleName(row.text())
        self._fill_combos(settings)
        for check, name in (
            (self._mirror, "mirror"),
            (self._heat_map, "show_heat_map"),
            (self._overlay, "record_overlay"),
            (self._spare, "spare_battery"),
        ):
            _quietly(check, partial(check.setChecked, getattr(settings, name)))
        _quietly(self._calm, partial(self._calm.setValue, round(settings.calm * _CALM_STEPS)))
        self._quick_label.setText(tr("quickly"))
        self._calm_label.setText(tr("calmly"))
        name = Path(settings.model).name if settings.model else tr("the one that came with the app")
        self._model.setText(name)
        self._model.setToolTip(tr("Choose a model file (.onnx)"))
        self._shipped.setText(tr("Use the shipped one"))
        self._shipped.setEnabled(settings.model is not None)
        self._reset.setText(tr("As it came"))
        self._reset.setToolTip(tr("Puts all of these back to what they were at first"))
        is_camera = self._is_camera()
        for widget in (self._size, self._rate, self._mirror):
            widget.setEnabled(is_camera)
            widget.setToolTip("" if is_camera else tr("The source is no camera"))

    def _fill_combos(self, settings: Settings) -> None:
        automatic = tr("automatic")
        own: tuple[object, str] = (None, automatic)
        sizes = [own, *((size, f"{size[0]} x {size[1]}") for size in _SIZES)]
        _fill(self._size, sizes, settings.camera_size_wh)
        _fill(self._rate, [own, *((rate, str(rate)) for rate in _RATES)], settings.camera_fps)
        _fill(self._prior, _priors(settings.prior), settings.prior)
        readings = [own, (1, tr("once")), (2, tr("twice, also mirrored"))]
        _fill(self._readings, readings, settings.readings)
        detectors = [("auto", automatic), ("short", tr("faces nearby"))]
        _fill(self._detector, [*detectors, ("full", tr("small and many faces"))], settings.detector)
        providers = [("auto", automatic), ("cpu", tr("processor"))]
        graphics = [
            ("cuda", tr("NVIDIA graphics card")),
            ("tensorrt", tr("NVIDIA graphics card, TensorRT")),
        ]
        _fill(self._provider, [*providers, *graphics], settings.provider)
        if is_self_contained():
            why = tr("This app is without CUDA; install FER Live with pip")
            _switch_off(self._provider, ("cuda", "tensorrt"), why)
        elif not has_nvidia_driver():
            _switch_off(self._provider, ("cuda", "tensorrt"), tr("No NVIDIA graphics card is here"))
        as_system = ("system", tr("as the system"))
        themes = [as_system, ("light", tr("light")), ("dark", tr("dark"))]
        _fill(self._theme, themes, settings.theme)
        _fill(self._language, [as_system, *LANGUAGES.items()], settings.language)

    def translate(self) -> None:
        self.show_settings(self._settings)

    def _restore_defaults(self) -> None:
        first = Settings()
        self._change({name: getattr(first, name) for name in _SHOWN_HERE})

    def _choose_model(self) -> None:
        chosen = ask_to_open(self, tr("Choose a model file (.onnx)"), "ONNX (*.onnx)")
        if chosen:
            self._change({"model": chosen})

    def _group(self, title: Callable[[], str]) -> QFormLayout:
        group = QGroupBox()
        form = QFormLayout(group)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._column.addWidget(group)
        self._groups.append((group, title))
        return form

    def _combo(self, form: QFormLayout, field: str, text: Callable[[], str]) -> QComboBox:
        combo = QComboBox()
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        combo.activated.connect(lambda: self._change({field: combo.currentData()}))
        self._row(form, text, combo, combo)
        return combo

    def _check(self, form: QFormLayout, field: str, text: Callable[[], str]) -> QCheckBox:
        check = QCheckBox()
        check.toggled.connect(lambda on: self._change({field: on}))
        self._row(form, text, check, check)
        return check

    def _row(
        self, form: QFormLayout, text: Callable[[], str], buddy: QWidget, *widgets: QWidget
    ) -> None:
        label = QLabel()
        label.setBuddy(buddy)
        self._rows.append(_Row(label, text, buddy))
        line = QHBoxLayout()
        for widget in widgets:
            line.addWidget(widget, 1 if widget is buddy else 0)
        form.addRow(label, line)


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


def _switch_off(combo: QComboBox, values: Sequence[str], why: str) -> None:
    """Let these entries be read, and not chosen."""
    model = combo.model()
    assert isinstance(model, QStandardItemModel)
    for value in values:
        item = model.item(combo.findData(value))
        assert item is not None
        item.setEnabled(False)
        item.setToolTip(why)


def _quietly(widget: QWidget, change: Callable[[], object]) -> None:
    """Show a value without taking that for the person's choice."""
    widget.blockSignals(True)
    change()
    widget.blockSignals(False)
