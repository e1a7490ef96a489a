"""What one training run holds, and how it is prepared: anew, or from where it was interrupted."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fer_live.base.atomic_file import write_atomically
from fer_live.base.regular_file import open_regular
from fer_live.errors import InputError
from fer_live.plain_text import say
from training import distributed
from training.config import (
    ScheduleConfig,
    TrainConfig,
    config_to_toml,
    differing_fields,
    fields_by_name,
    load_former_config,
)
from training.data.batches import Batches
from training.data.identity import DataIdentity
from training.data.sources import TrainingData, load_training_data
from training.data.splits import save_list
from training.loop.ema import EmaTeacher
from training.loop.log import TrainingLog
from training.loop.optimizers import build_optimizers
from training.loop.resume import BEFORE_COOLDOWN_FILE, RESUME_FILE, load_run_state, restore_run
from training.loop.tracker import check_tracker
from training.methods import METHODS
from training.methods.method import Method
from training.models import checkpoint
from training.models.config import ModelConfig
from training.models.resnet import ExpressionNet

CONFIG_FILE = "config.toml"
LOG_FILE = "log.jsonl"
METRICS_FILE = "metrics.json"
SPLIT_FILE = "split.json"

_FEWEST_CHANNELS, _LARGE_SIDE = 16, 96
"""Convolutions of fewer channels on larger images end torch 2.13 on a CPU with a segmentation
fault, in fp32 and channels last; such runs take the other order of memory."""
_NATIVE_BF16 = ("avx512_bf16", "amx_bf16", "bf16")
"""Names of the ability to compute in bf16: of x86 processors and, the last one, of Arm."""


_MAY_CHANGE = {"run.device", "run.tracker", "run.checkpoint_every_s", "schedule.logs_per_pass"}
"""Fields that may differ in a resumed run: they do not move its weights, or are checked by what
they come to."""
_LENGTH = {"schedule.passes", "schedule.steps"}
"""Fields that may grow, which `_is_longer` looks at."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A run that is ready for its next step, `first_step`: 0, or the one it was interrupted at.

    `precision` is "bf16" or "fp32". `began_s` is on the monotonic clock, as if the run had never
    been interrupted.
    """

    config: TrainConfig
    run_dir: Path
    device: torch.device
    precision: str
    data: TrainingData
    student: ExpressionNet
    teacher: EmaTeacher
    optimizers: list[torch.optim.Optimizer]
    method: Method
    batches: Batches
    log: TrainingLog
    first_step: int
    began_s: float

    @property
    def modules(self) -> dict[str, nn.Module]:
        """Everything with a state that a resumed run needs, by name."""
        return _modules(self.student, self.teacher, self.method)

    @property
    def identity(self) -> dict[str, Any]:
        """What must not change between an interruption and the resumption."""
        return _identity(self.config, self.data, self.device)


def prepare_run(
    config: TrainConfig,
    run_dir: Path,
    device: torch.device,
    data: TrainingData | None,
    *,
    resume: bool,
    show_progress: bool,
) -> Run:
    """Load the data, build everything that a run moves, and restore its state if it is resumed.

    The order counts: what draws random numbers must draw them in the same order in every run.
    """
    torch.backends.cudnn.deterministic = True  # or a resumed run would differ on a GPU
    torch.manual_seed(config.run.seed)
    _check_processes(config)
    check_tracker(config.run.tracker)
    if data is None:
        data = load_training_data(config.data, config.model.input_side, config.run.seed)
    classes = data.labeled.classes
    method = METHODS[config.run.method](config.options, len(classes)).to(device)
    batches = Batches(config, data, method, device)
    student = _build_student(config, classes, device, batches.n_landmarks)
    teacher = EmaTeacher(student, config.schedule.ema_decay, ramp=not config.schedule.start_from)
    optimizers = build_optimizers(student, config.schedule)
    method.begin(student)

    first_step, log, began_s = 0, TrainingLog(device), time.monotonic()
    resume_file = run_dir / RESUME_FILE
    if resume and resume_file.is_file():
        _check_same_run(resume_file, **_identity(config, data, device))
    distributed.wait_for_all()
    if resume and _is_longer(config, run_dir) and distributed.is_first():
        _return_to_cooldown(run_dir)
    distributed.wait_for_all()
    if resume and resume_file.is_file():
        state = restore_run(resume_file, _modules(student, teacher, method), optimizers)
        _tell_other_precision(resume_file, state.get("precision"), config, device)
        first_step, log = state["step"], TrainingLog.restored(device, state["log"])
        began_s -= state["wall_s"]
    elif resume and show_progress and distributed.is_first():
        say(f"{run_dir}: no checkpoint to resume from; begins at the first step", to=sys.stderr)
    distributed.wait_for_all()  # until every process has found the folder free
    if distributed.is_first():
        _make_run_dir(config, run_dir, data)
    return Run(
        config=config,
        run_dir=run_dir,
        device=device,
        precision=resolve_precision(config.run.precision, device),
        data=data,
        student=student,
        teacher=teacher,
        optimizers=optimizers,
        method=method,
        batches=batches,
        log=log,
        first_step=first_step,
        began_s=began_s,
    )


def check_run_dir(config: TrainConfig, run_dir: Path, resume: bool) -> None:
    """Refuse to overwrite a run, or to resume it with another config."""
    config_file = run_dir / CONFIG_FILE
    if not config_file.is_file():
        written = (checkpoint.MODEL_FILE, METRICS_FILE, LOG_FILE, SPLIT_FILE)
        outputs = (*written, RESUME_FILE, BEFORE_COOLDOWN_FILE)
        foreign = [name for name in outputs if (run_dir / name).exists()]
        if foreign:
            raise InputError(
                f"{run_dir}: holds a {foreign[0]} that is no part of a run, because there is no "
                f"{CONFIG_FILE}; choose another --out"
            )
        return
    if not resume:
        raise InputError(
            f"{run_dir}: a run is there already; add --resume, or choose another --out"
        )
    differ = set(differing_fields(load_former_config(config_file), config)) - _MAY_CHANGE
    if differ and not _is_longer(config, run_dir):
        raise InputError(
            f"{config_file}: the run there was started with another config, it differs in "
            f"{', '.join(sorted(differ))}; resume with that file, or choose another --out"
        )


def cooldown_begin(schedule: ScheduleConfig, n_steps: int) -> int:
    """Tell after how many steps the learning rate of a trapezoid begins to fall."""
    return n_steps - max(round(schedule.cooldown * n_steps), 1)


def _is_longer(config: TrainConfig, run_dir: Path) -> bool:
    """Whether a config is that of the run in a folder with more passes, its rate a trapezoid.

    Then, but for the warm-up, all steps before the rate fell are the same, so that the run can go
    on from there.
    """
    if not (run_dir / CONFIG_FILE).is_file():
        return False
    before = load_former_config(run_dir / CONFIG_FILE)
    old, new = before.schedule, config.schedule
    if new.shape != "trapezoid" or (new.passes, new.steps) == (old.passes, old.steps):
        return False
    as_long = old.model_copy(update={"passes": new.passes, "steps": new.steps})
    grows = new.steps > old.steps if new.steps else new.passes > old.passes
    return (
        grows
        and new.heldout_until == 1
        and not set(differing_fields(before.model_copy(update={"schedule": as_long}), config))
        - _MAY_CHANGE
    )


def _return_to_cooldown(run_dir: Path) -> None:
    """Make the checkpoint from before the rate fell the one to resume from, where it has fallen."""
    kept = run_dir / BEFORE_COOLDOWN_FILE
    if kept.is_file():
        with open_regular(kept) as file:
            write_atomically(run_dir / RESUME_FILE, file.read())


def resolve_device(name: str) -> torch.device:
    """Choose the device of a config; asking for cuda where there is none is the user's mistake."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("run.device: cuda was asked for, but torch finds no CUDA GPU; use cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def resolve_precision(name: str, device: torch.device) -> str:
    """Choose the precision of a config, "bf16" or "fp32".

    A processor that has to emulate bf16 takes ten times as long as in fp32.
    """
    if name != "auto":
        return name
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = any(torch.cpu.get_capabilities().get(ability) for ability in _NATIVE_BF16)
    return "bf16" if native else "fp32"


def _check_processes(config: TrainConfig) -> None:
    """Refuse a method or a batch size that several processes cannot share."""
    if distributed.n_processes() > 1 and not METHODS[config.run.method].several_processes:
        raise InputError(f"run.method {config.run.method}: one process alone; leave torchrun out")
    sizes = {
        "schedule.batch_size": config.schedule.batch_size,
        "schedule.unlabeled_batch_size": config.schedule.unlabeled_batch_size,
    }
    if config.data.heldout_share or config.data.heldout_list:
        sizes["schedule.heldout_batch_size"] = config.schedule.heldout_batch_size
    distributed.check_divisible(**sizes)


def _build_student(
    config: TrainConfig, classes: tuple[str, ...], device: torch.device, n_landmarks: int
) -> ExpressionNet:
    """Build the network to train, with random weights or those of schedule.start_from."""
    student = checkpoint.build_network(config.model, len(classes), auxiliary_outputs=n_landmarks)
    if config.schedule.start_from:
        _start_from(student, Path(config.schedule.start_from), classes, config.model)
    distributed.with_global_norms(student)
    student.to(device)
    if config.model.width >= _FEWEST_CHANNELS or config.model.input_side < _LARGE_SIDE:
        student.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return student


def _start_from(
    student: ExpressionNet, path: Path, classes: tuple[str, ...], config: ModelConfig
) -> None:
    """Give the student the weights of a checkpoint of the same network and the same labels."""
    network, manifest = checkpoint.load_model(path)
    if manifest.labels != classes:
        raise InputError(
            f"schedule.start_from {path}: its labels {', '.join(manifest.labels)} are not the "
            f"data's: {', '.join(classes)}"
        )
    weights = network.state_dict()
    # What only training needs begins anew.
    anew = {k: v for k, v in student.state_dict().items() if k.startswith(checkpoint.AUXILIARY)}
    try:
        student.load_state_dict(weights | anew)
    except RuntimeError:
        raise InputError(
            f"schedule.start_from {path}: another network than [model] says, "
            f"{manifest.architecture}; make both the same"
        ) from None


def _modules(student: ExpressionNet, teacher: EmaTeacher, method: Method) -> dict[str, nn.Module]:
    return {"student": student, "teacher": teacher.module, "method": method}


def _identity(config: TrainConfig, data: TrainingData, device: torch.device) -> dict[str, Any]:
    """What must be the same in a resumed run, because order and random numbers depend on it."""
    return {
        "n_images": len(data.labeled),
        "n_unlabeled": len(data.unlabeled),
        "device": device.type,
        "processes": distributed.n_processes(),
        "data": data.identity and data.identity.model_dump(),
        "settings": config.model_dump(mode="json"),
    }


def _check_same_run(path: Path, **now: Any) -> None:
    """Refuse to resume a run of other settings, on other data or another device.

    A file of an older version lacks some of what is compared.
    """
    before = {name: value for name, value in load_run_state(path).items() if name in now}
    refused = f"{path}: cannot be resumed; choose another --out: the run there"
    settings = fields_by_name(before.pop("settings", {}))
    differ = {
        name
        for name, value in fields_by_name(now["settings"]).items()
        if settings.get(name, value) != value
    } - (_MAY_CHANGE | _LENGTH)
    if differ:
        raise InputError(f"{refused} had another {', '.join(sorted(differ))}")
    began_on = before.pop("data", None)
    for name, value in before.items():
        if value != now[name]:
            raise InputError(f"{refused} had {name} {value}, this one has {now[name]}")
    if began_on and now["data"]:
        try:
            is_same = DataIdentity(**began_on).is_that_of(DataIdentity(**now["data"]))
        except (TypeError, ValueError):
            is_same = False
        if not is_same:
            raise InputError(f"{refused} began on other images or labels, though as many")


def _tell_other_precision(
    path: Path, before: str | None, config: TrainConfig, device: torch.device
) -> None:
    """Say that "auto" means another precision on this processor than the run began with."""
    now = resolve_precision(config.run.precision, device)
    if before not in (None, now) and distributed.is_first():
        say(
            f"{path}: the run began in {before} and goes on in {now}, what this processor computes "
            "in; it will not end in the same weights",
            to=sys.stderr,
        )


def _make_run_dir(config: TrainConfig, run_dir: Path, data: TrainingData) -> None:
    """Make the run folder and write the config and the split list.

    This waits until data and device are known to be there, so that a mistake leaves no half-made
    run.
    """
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{run_dir}: cannot make this folder: {error.strerror}") from None
    write_atomically(run_dir / CONFIG_FILE, config_to_toml(config).encode())
    save_list(run_dir / SPLIT_FILE, data.split)
