"""Rows made under a condition: an ability that a task declares, for audits of generative models."""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class GeneratesRows(Protocol):
    """A task whose models make rows of a wanted class from noise, the same noise always into the same row."""

    def noise(self, model: Any, rows: int, seed: int) -> Tensor:
        """Return noise for so many rows, `(rows, ...)`, on the CPU; the same for the same seed."""
        ...

    def generated_rows(self, model: Any, classes: Tensor, noise: Tensor) -> Tensor:
        """Return the rows that a model makes, `(n, ...)` on the CPU, without changing the model.

        Args:
            model: The model, in evaluation mode.
            classes: Wanted classes by number, long `(n,)`.
            noise: What `noise` gave, `(n, ...)`.
        """
        ...

    def judged_rows(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return what a classifier that the model knows nothing of sees in rows: features `(n, d)` and classes `(n,)`."""
        ...
