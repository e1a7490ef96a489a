"""Says which images each step takes: a function of seed and step, so that runs can be resumed."""

import torch
from torch import Tensor


class ShuffledStream:
    """Batches out of all `n` images in random order, then all in another order, and so on."""

    def __init__(self, n: int, batch_size: int, seed: int) -> None:
        self._n, self.size, self._seed = n, batch_size, seed
        self._pass, self._order = -1, torch.empty(0, dtype=torch.long)

    def __call__(self, step: int) -> Tensor:
        """Return the rows (batch_size,) int64 of a step; a batch may reach over several passes."""
        parts: list[Tensor] = []
        position, missing = step * self.size, self.size
        while missing:
            number, begin = divmod(position, self._n)
            part = self._order_of(number)[begin : begin + missing]
            parts.append(part)
            position += len(part)
            missing -= len(part)
        return torch.cat(parts) if parts else torch.empty(0, dtype=torch.long)

    def class_shares(self, targets: Tensor) -> Tensor:
        """Return each class's share (C,) of the images drawn; `targets` (N, C) are all images'."""
        return targets.mean(dim=0)

    def _order_of(self, number: int) -> Tensor:
        if number != self._pass:
            self._pass = number
            self._order = torch.randperm(self._n, generator=_generator(self._seed, number))
        return self._order


class BalancedStream:
    """Images drawn with replacement, class c with a probability as n_c ** (1 - balance)."""

    def __init__(self, labels: Tensor, batch_size: int, balance: float, seed: int) -> None:
        counts = torch.bincount(labels).double()
        self._weights = counts[labels] ** -balance
        self._size, self._seed = batch_size, seed

    def __call__(self, step: int) -> Tensor:
        """Return the rows (batch_size,) int64 of a step."""
        generator = _generator(self._seed, step)
        return torch.multinomial(self._weights, self._size, replacement=True, generator=generator)

    def class_shares(self, targets: Tensor) -> Tensor:
        """Return each class's share (C,) of the images drawn; `targets` (N, C) are all images'."""
        weights = (self._weights / self._weights.sum()).to(targets)
        return weights @ targets


def _generator(seed: int, number: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 1_000_003 + number)
