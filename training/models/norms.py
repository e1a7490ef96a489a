"""Moves a network's batch statistics towards those of some faces."""

import math

import torch
from torch import nn

from fer_live.datatypes import UInt8Array
from training.models.resnet import ExpressionNet, scale_faces

_BATCH = 256


def move_norms(network: ExpressionNet, faces: UInt8Array, share: float) -> None:
    """Move the batch statistics of `network`, in place, towards those of some faces.

    After Schneider et al., "Improving robustness against common corruptions by covariate shift
    adaptation" (NeurIPS 2020).

    Args:
        network: In eval mode, on any device.
        faces: (N, S, S) uint8.
        share: 0 changes nothing, 1 leaves nothing of the old statistics. Nor does a single face
            change any, because it has no variance.
    """
    if share == 0 or len(faces) < 2:
        return
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [(norm.running_mean.clone(), norm.running_var.clone()) for norm in norms]  # type: ignore[union-attr]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
        norm.train()
    device = network.classifier.weight.device
    with torch.inference_mode():
        # Of nearly one size, because the mean over the batches counts a small one as much.
        n_batches = math.ceil(len(faces) / _BATCH)
        for batch in torch.tensor_split(torch.from_numpy(faces[:, None]), n_batches):
            network(scale_faces(batch.to(device)))
    for norm, momentum, (mean, variance) in zip(norms, momenta, before, strict=True):
        norm.momentum = momentum
        norm.running_mean = torch.lerp(mean, norm.running_mean.clone(), share)  # type: ignore[union-attr]
        norm.running_var = torch.lerp(variance, norm.running_var.clone(), share)  # type: ignore[union-attr]
    network.eval()
