"""The log of a run, log.jsonl: one line every so many steps."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fer_live.base.atomic_file import write_atomically
from training import distributed
from training.methods.method import Batch, Method, StepResult


@dataclass(slots=True)
class TrainingLog:
    """The lines of log.jsonl, and the sums of the line that is being filled.

    A line: `step`, `passes`, mean `loss` and `acc` of the labeled images, None where there are
    none; with pseudo-labels the share of unlabeled images that were kept and how many of these are
    right; with complementary labels the share of images that have some and how many of these labels
    are right; the mean size of each unlabeled term's gradient; and the `thresholds` of each class.
    Right is None where the true labels are not known. Last come the learning `rate` of the line's
    last step, the `seconds` since the run began, and `images_per_s` of the line, labeled and
    unlabeled ones once each.

    Sums stay on the device until they are shown, because reading one waits for the GPU.
    """

    device: torch.device
    history: list[dict[str, Any]] = field(default_factory=list)
    sums: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def restored(cls, device: torch.device, state: dict[str, Any]) -> "TrainingLog":
        """Continue the log that a checkpoint kept."""
        return cls(device, state["history"], state["sums"])

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of the log, for `restored`."""
        return {"history": self.history, "sums": self._read()}

    def add(self, result: StepResult, batch: Batch, hidden_labels: Tensor) -> None:
        """Add a step to the line that is being filled; `hidden_labels` (U,) are -1 if not known."""
        n = len(batch.labeled)
        right = result.labeled_logits.argmax(1) == batch.targets.argmax(1)
        weight = max(n, 1)
        self._count(n=n, weight=weight, loss=result.loss.detach() * weight, right=right.sum())
        self._count(steps=1, seen=n + len(hidden_labels))
        self._count(**{f"{name}_gradient": size for name, size in result.gradients.items()})
        if result.kept is None or result.pseudo_labels is None:
            return
        known = hidden_labels >= 0
        kept_right = result.kept & (result.pseudo_labels == hidden_labels)
        self._count(
            images=len(known),
            kept=result.kept.sum(),
            kept_known=(result.kept & known).sum(),
            kept_right=kept_right.sum(),
        )
        if result.complementary is None:
            return
        pairs = result.complementary
        is_class = F.one_hot(hidden_labels.clamp_min(0), pairs.shape[1]).bool() & known[:, None]
        self._count(
            negative_images=pairs.any(dim=1).sum(),
            negative_known=(pairs & known[:, None]).sum(),
            negative_wrong=(pairs & is_class).sum(),
        )

    def close_line(
        self, step: int, passes: float, method: Method, *, rate: float, seconds: float
    ) -> None:
        """End the line that is being filled; its values are means over its steps and processes."""
        sums = self._sums_of_all()
        line: dict[str, Any] = {
            "step": step,
            "passes": round(passes, 4),
            "loss": sums["loss"] / sums["weight"],
            "acc": _ratio(sums["right"], sums["n"]),
        }
        if "kept" in sums:
            line["kept_share"] = sums["kept"] / sums["images"]
            line["kept_right"] = _ratio(sums["kept_right"], sums["kept_known"])
        if "negative_images" in sums:
            line["complementary_share"] = sums["negative_images"] / sums["images"]
            wrong = _ratio(sums["negative_wrong"], sums["negative_known"])
            line["complementary_right"] = None if wrong is None else 1 - wrong
        line |= {k: v / sums["steps"] for k, v in sums.items() if k.endswith("_gradient")}
        thresholds = method.thresholds(passes)
        if thresholds is not None:
            line["thresholds"] = [round(value, 4) for value in thresholds.tolist()]
        before_s = self.history[-1]["seconds"] if self.history else 0.0
        line["rate"], line["seconds"] = rate, round(seconds, 3)
        line["images_per_s"] = round(sums["seen"] / max(seconds - before_s, 1e-6), 1)
        self.history.append(
            {k: round(v, 6) if isinstance(v, float) else v for k, v in line.items()}
        )
        self.sums = {}

    def gather(self) -> float | None:
        """Give the first process the sums of all, so that its checkpoint has the whole line.

        Returns the mean loss since the last line, None where no step was added.
        """
        if not self.sums:
            return None
        sums = self._sums_of_all()
        if distributed.n_processes() > 1:
            self.sums = sums if distributed.is_first() else dict.fromkeys(sums, 0.0)
        return _ratio(sums["loss"], sums["weight"])

    def write(self, path: Path) -> None:
        """Write all lines to log.jsonl."""
        lines = "".join(json.dumps(row) + "\n" for row in self.history)
        write_atomically(path, lines.encode())

    def _count(self, **values: Tensor | int) -> None:
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0) + value

    def _sums_of_all(self) -> dict[str, float]:
        """The sums of all processes, in each of them."""
        sums = self._read()
        if distributed.n_processes() == 1:
            return sums
        values = torch.tensor(list(sums.values()), dtype=torch.float64)
        total = distributed.sum_over_processes(values.to(self.device))
        return dict(zip(sums, total.tolist(), strict=True))

    def _read(self) -> dict[str, float]:
        return {name: float(value) for name, value in self.sums.items()}


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
