"""A model that brings its own training: a LightningModule with its data, given from Python."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


class OwnTraining(nn.Module):
    """A LightningModule that is trained by its own `training_step` on its own loaders, and called as a network of a task.

    Args:
        module: The LightningModule.
        datamodule: Its LightningDataModule.
        read: From the module's output to logits `(n, classes)` or values `(n,)`.
    """

    def __init__(self, module: nn.Module, datamodule: Any, read: Callable[[Any], Tensor]) -> None:
        super().__init__()
        self.module = module
        self._lend: Callable[[], Any] = lambda: datamodule  # copies of the model share it: it may hold all rows
        self._read = read

    @property
    def datamodule(self) -> Any:
        """The LightningDataModule whose loaders train the module."""
        return self._lend()

    def forward(self, *inputs: Tensor) -> Tensor:
        """From inputs to logits `(n, classes)` or values `(n,)`."""
        return self._read(self.module(*inputs))
