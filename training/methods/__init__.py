"""Objectives, one file each: a method is a function from a student and a batch to named loss terms.

A new method is one new file and one line here.
"""

from collections.abc import Callable

from torch import Tensor, nn

from training.methods.supervised import supervised

Objective = Callable[[nn.Module, Tensor, Tensor], dict[str, Tensor]]

METHODS: dict[str, Objective] = {
    "supervised": supervised,
}
