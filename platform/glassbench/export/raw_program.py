"""A network as one PyTorch program: raw rows in, predictions out."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from glassbench.export.networks import sample_inputs
from glassbench.export.parts import Parts


class RowsProgram(nn.Module):
    """A network between what makes its inputs and what reads its output.

    Args:
        parts: What is exported; its model is a network, and its rows are no table.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.before = ScaledRows(parts.preprocessing)
        self.model = parts.model
        self.decision = parts.decision

    def forward(self, rows: Tensor) -> dict[str, Tensor]:
        """From raw rows to predictions: classes as places in the list of classes, numbers in double precision."""
        return _decided(self.model(self.before(rows)).double(), self.decision)


class TableProgram(nn.Module):
    """A network of a table between what makes its inputs and what reads its output.

    Args:
        parts: What is exported; its model is a network, and its rows are those of a table.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.before = TableRows(parts.preprocessing)
        self.model = parts.model
        self.decision = parts.decision

    def forward(self, numbers: Tensor, categories: Tensor) -> dict[str, Tensor]:
        """From numbers and places of categories, as `TableRows` takes them, to predictions as `RowsProgram` gives them."""
        return _decided(self.model(self.before(numbers, categories)).double(), self.decision)


class TableRows(nn.Module):
    """From numbers and categories to encoded rows.

    Args:
        spec: The preprocessing of the kind `table`.
    """

    median: Tensor
    mean: Tensor
    std: Tensor
    order: Tensor

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        numbers = [column for column in spec["columns"] if column["kind"] == "number"]
        for name in ("median", "mean", "std"):
            self.register_buffer(name, torch.tensor([column[name] for column in numbers], dtype=torch.float64))
        self.widths = [len(column["categories"]) for column in spec["columns"] if column["kind"] == "category"]
        self.register_buffer("order", torch.tensor(_order(spec["columns"]), dtype=torch.long))

    def forward(self, numbers: Tensor, categories: Tensor) -> Tensor:
        """Encode rows.

        Args:
            numbers: Columns of numbers, NaN where missing, float64 `(n, numbers)`.
            categories: The place of each cell in its column's list of categories, -1 where it is none of them, long
                `(n, categories)`.
        """
        absent = torch.isnan(numbers)
        standard = (torch.where(absent, self.median, numbers) - self.mean) / self.std
        blocks = [standard.float(), absent.float()]
        for place, width in enumerate(self.widths):
            blocks.append((categories[:, place : place + 1] == torch.arange(width, device=categories.device)).float())
        return torch.cat(blocks, dim=1)[:, self.order]


def _order(columns: list[Mapping[str, Any]]) -> list[int]:
    """Return where each encoded column stands among numbers, their gaps and the categories."""
    numbers = sum(column["kind"] == "number" for column in columns)
    order: list[int] = []
    number, start = 0, 2 * numbers
    for column in columns:
        if column["kind"] == "number":
            order += [number, numbers + number] if column["indicator"] else [number]
            number += 1
        else:
            order += range(start, start + len(column["categories"]))
            start += len(column["categories"])
    return order


class ScaledRows(nn.Module):
    """From raw numbers to a network's inputs; tokens and encoded rows stay as they are.

    Args:
        spec: The preprocessing of another kind than `table`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        self.scaled = spec["kind"] == "scaled"
        if not self.scaled:
            return
        shape = [1] * (len(spec["shape"]) + 1)
        shape[spec["axis"] + 1] = len(spec["mean"])
        self.divide = float(spec["divide"])
        self.precision = torch.float32 if spec["dtype"] == "uint8" else torch.float64
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(spec[name], dtype=self.precision).reshape(shape))

    def forward(self, rows: Tensor) -> Tensor:
        """From rows `(n, ...)` to inputs of the same shape."""
        if not self.scaled:
            return rows
        return ((rows.to(self.precision) / self.divide - self.mean) / self.std).float()


def sample_rows(parts: Parts, rows: int = 3) -> tuple[Tensor, ...]:
    """Return raw rows of zeros, as a program takes them."""
    if not parts.tabular:
        return (sample_inputs(parts.preprocessing, rows),)
    kinds = [column["kind"] for column in parts.preprocessing["columns"]]
    numbers, categories = kinds.count("number"), kinds.count("category")
    return torch.zeros((rows, numbers), dtype=torch.float64), torch.zeros((rows, categories), dtype=torch.long)


def _decided(output: Tensor, decision: Mapping[str, Any]) -> dict[str, Tensor]:
    kind = decision["kind"]
    if kind == "classes":
        scores = torch.softmax(output, dim=1)
        if decision["threshold"] is None:
            return {"y_pred": scores.argmax(dim=1), "scores": scores}
        positive = decision["classes"].index(decision["positive"])
        reached = scores[:, positive] >= decision["threshold"]
        return {"y_pred": torch.where(reached, positive, 1 - positive), "scores": scores}
    if kind == "labels":
        scores = torch.sigmoid(output)
        return {"y_pred": scores >= decision["threshold"], "scores": scores}
    if kind == "value":
        return {"y_pred": output.reshape(output.shape[0])}
    if kind == "quantiles":
        ordered, (low, high), offset = output.sort(dim=1).values, decision["ends"], decision["offset"]
        middle = ordered[:, decision["middle"]]
        ends = torch.minimum(ordered[:, low] - offset, middle), torch.maximum(ordered[:, high] + offset, middle)
        return {"y_pred": middle, "low": ends[0], "high": ends[1], "quantiles": ordered}
    mean, std = (torch.tensor(decision[name], dtype=torch.float64) for name in ("mean", "std"))
    steps = output * std + mean
    return {"y_pred": steps[..., decision["channel"]].mean(dim=1), "forecast": steps}
