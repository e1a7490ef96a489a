"""Several processes on one global batch, started by `torchrun`; one process needs none of this.

Every process draws the same global batch and the same random numbers, then works on its own rows.
So two processes see the same images, masks and thresholds as one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from fer_live.errors import InputError


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Join the group of processes that torchrun's environment names, until the block ends."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def n_processes() -> int:
    """How many processes share the run; 1 without torchrun."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this process writes the files; a single process always does."""
    return not dist.is_initialized() or dist.get_rank() == 0


def wait_for_all() -> None:
    """Wait until every process has come this far."""
    if dist.is_initialized():
        dist.barrier()


def own_rows(batch: Tensor) -> Tensor:
    """Return this process's part of a global batch, a contiguous run of its rows."""
    if not dist.is_initialized():
        return batch
    return batch.chunk(n_processes())[dist.get_rank()]


def check_divisible(**batch_sizes: int) -> None:
    """Refuse a batch size that the processes cannot share evenly."""
    for name, size in batch_sizes.items():
        if size % n_processes():
            raise InputError(f"{name}: {size} cannot be shared by {n_processes()} processes")


def sum_over_processes(values: Tensor) -> Tensor:
    """Sum the `values` of all processes, without gradient; a single process gets its own back."""
    if not dist.is_initialized():
        return values
    total = values.detach().clone()
    dist.all_reduce(total)
    return total


def max_over_processes(values: Tensor) -> Tensor:
    """Take the largest of the `values` of all processes, without gradient."""
    if not dist.is_initialized():
        return values
    largest = values.detach().clone()
    dist.all_reduce(largest, op=dist.ReduceOp.MAX)
    return largest


def mean_over_processes(values: Tensor) -> Tensor:
    """Average the `values` of all processes, with gradient, unlike `sum_over_processes`."""
    total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return total / n_processes()


class _Sum(torch.autograd.Function):
    """The sum over all processes; the loss of each depends on it, so their gradients are summed."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return sum_over_processes(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return sum_over_processes(gradient)


def share_of_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Compute a weighted mean over the global batch; 0 where all weights are 0.

    It is sum(values * weights) / sum(weights). `values` and `weights` are this process's rows, of
    one shape. The mean of what all processes return is the mean over the global batch, because
    gradients are averaged so too.
    """
    total = sum_over_processes(weights.sum()) / n_processes()
    return (values * weights).sum() / total.clamp_min(torch.finfo(values.dtype).tiny)


def first_says(answer: bool, device: torch.device) -> bool:
    """Return the first process's answer in every process."""
    if not dist.is_initialized():
        return answer
    told = torch.tensor([float(answer)], device=device)
    dist.broadcast(told, src=0)
    return bool(told.item())


def rand_rows(n_rows: int, n_columns: int, device: torch.device) -> Tensor:
    """Draw uniform random numbers for the whole global batch; returns this process's rows."""
    return own_rows(torch.rand(n_rows * n_processes(), n_columns, device=device))


def average_gradients(network: nn.Module) -> None:
    """Replace each gradient by its mean over the processes."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= n_processes()
    for gradient, part in zip(
        gradients, flat.split_with_sizes([g.numel() for g in gradients]), strict=True
    ):
        gradient.copy_(part.view_as(gradient))


class GlobalBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation by the statistics of the global batch.

    torch's own SyncBatchNorm does not run on CPUs. Same state dict as `nn.BatchNorm2d`.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        values = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = mean_over_processes(values.mean(dim=(0, 2, 3)))
        # From the deviations, because the mean of squares less the square of the mean loses digits.
        centered = values - mean[:, None, None]
        variance = mean_over_processes(centered.square().mean(dim=(0, 2, 3)))
        n = x.numel() // x.shape[1] * n_processes()
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * n / max(n - 1, 1), self.momentum)
            self.num_batches_tracked += 1
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normed: Tensor = centered * scale[:, None, None] + self.bias[:, None, None]
        return normed.to(x.dtype)


def with_global_norms(network: nn.Module) -> nn.Module:
    """Replace every batch norm of `network` in place, where there are several processes."""
    if n_processes() > 1:
        for module in network.modules():
            if type(module) is nn.BatchNorm2d:
                module.__class__ = GlobalBatchNorm2d
    return network


def with_own_norms(network: nn.Module) -> nn.Module:
    """Undo `with_global_norms`, in place: every batch norm sees its own process's images alone."""
    for module in network.modules():
        if type(module) is GlobalBatchNorm2d:
            module.__class__ = nn.BatchNorm2d  # type: ignore[assignment]
    return network
