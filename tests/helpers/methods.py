"""Methods and batches of small images."""

import torch
import torch.nn.functional as F
from torch import Tensor

from training.methods import METHODS
from training.methods.method import Batch, Method


def random_batch(n_labeled: int = 4, n_unlabeled: int = 8, n_weak: int = 1) -> Batch:
    targets = F.one_hot(torch.arange(n_labeled) % 4, 4).float()
    views = [torch.rand(n_unlabeled, 1, 48, 48) * 2 - 1 for _ in range(n_weak + 1)]
    return Batch(torch.rand(n_labeled, 1, 48, 48) * 2 - 1, targets, tuple(views[1:]), views[0])


def make_method(name: str, n_classes: int = 4, **options: object) -> Method:
    method = METHODS[name]
    return method(method.Options.model_validate(options), n_classes)


def logits_of(probs: list[list[float]]) -> Tensor:
    return torch.tensor(probs).log().requires_grad_()
