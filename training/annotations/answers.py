"""Stores what a teacher answers to every face that a config trains on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from fer_live.datatypes import UInt8Array
from fer_live.errors import InputError
from training.annotations.enlarged import Measured
from training.config import TrainConfig
from training.data.annotations import Annotations, AnnotationsAbout
from training.data.augment import augmentation
from training.data.face_pool import FacePool, fingerprints
from training.data.sources import load_training_data
from training.loop.run import resolve_device, resolve_precision
from training.models.checkpoint import load_model

_BATCH = 256


def store_answers(
    model: Path, config: TrainConfig, *, copies: int, with_heldout: bool = True
) -> Measured:
    """Read every face with a teacher: the mean over the face, some copies, and all their mirrors.

    Args:
        model: Checkpoint or run folder of the teacher; its labels must be the data's.
        config: Whose images are read, and whose weak augmentation makes the copies.
        copies: How many weakly augmented copies are read beside the face itself.
        with_heldout: Whether faces whose labels the config holds out are read too. A teacher that
            learnt these labels must not answer: it would seem to be right on them.

    Returns:
        The mean probabilities (N, C) of the N different faces, float16.
    """
    network, manifest = load_model(model)
    side = config.model.input_side
    if manifest.input_side != side:
        raise InputError(f"{model}: reads faces of {manifest.input_side} pixels, not {side}")
    data = load_training_data(config.data, side, config.run.seed)
    if manifest.labels != data.labeled.classes:
        raise InputError(
            f"{model}: its labels {', '.join(manifest.labels)} are not the data's: "
            f"{', '.join(data.labeled.classes)}"
        )
    device = resolve_device(config.run.device)
    reader = _ViewsReader(network.to(device), config, copies, device)
    faces = data.labeled.faces + data.heldout.faces + data.unlabeled
    learnt = set() if with_heldout else set(_prints_of(data.heldout.faces))
    found: dict[bytes, NDArray[np.float16]] = {}
    torch.manual_seed(config.run.seed)
    with tqdm(total=len(faces), desc=f"{model.name} reads", unit="face", disable=None) as shown:
        for chunk in faces.chunks():
            new = {
                print_: row
                for row, print_ in enumerate(fingerprints(chunk))
                if print_ not in found and print_ not in learnt
            }
            if new:
                found |= zip(new, reader.read(chunk[list(new.values())]), strict=True)
            shown.update(len(chunk))
    about = AnnotationsAbout(
        kind="answers",
        side=side,
        names=manifest.labels,
        source={"teacher": manifest.training, "copies": copies, "with_heldout": with_heldout},
    )
    prints = np.frombuffer(b"".join(found), np.uint8).reshape(-1, 16)
    annotations = Annotations(about, prints, np.array(list(found.values())))
    return Measured(annotations, len(found))


def _prints_of(faces: FacePool) -> Iterator[bytes]:
    return (print_ for chunk in faces.chunks() for print_ in fingerprints(chunk))


class _ViewsReader:
    """Reads faces several times over with one network."""

    def __init__(
        self, network: nn.Module, config: TrainConfig, copies: int, device: torch.device
    ) -> None:
        self._network = network
        self._copies = copies
        self._augment = augmentation(config.weak).to(device)
        self._device = device
        self._in_bf16 = resolve_precision(config.run.precision, device) == "bf16"

    def read(self, faces: UInt8Array) -> NDArray[np.float16]:
        """The mean probabilities (N, C) of faces (N, S, S)."""
        images = torch.from_numpy(faces).unsqueeze(1)
        probs = [self._mean(batch.to(self._device)) for batch in torch.split(images, _BATCH)]
        return np.asarray(torch.cat(probs).numpy(), dtype=np.float16)

    @torch.inference_mode()
    def _mean(self, images: Tensor) -> Tensor:
        plain = images.float() / 255
        views = [plain, *(self._augment(plain) for _ in range(self._copies))]
        views += [view.flip(3) for view in views]
        total = torch.zeros(())
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._in_bf16):
            for view in views:
                total = total + self._network(view * 2 - 1).float().softmax(dim=1).cpu()
        return total / len(views)
