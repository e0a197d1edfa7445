"""From raw rows of a table to what a model was trained on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Feature
from glassbench.errors import DataError, shorten
from glassbench.rows.new_rows import Unusual
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.codes import CategoryCode, NumberCode
from glassbench.toolkit.cells.groups import GroupCode
from glassbench.toolkit.cells.value_labels import Labels
from glassbench.toolkit.table.label_columns import LabelColumns
from glassbench.toolkit.table.number_block import encode_numbers, number_block

_Coded = tuple[np.ndarray, list[str | None]]


@dataclass(frozen=True, kw_only=True)
class TableEncoder:
    """Encodes rows of a table with what was measured on its training rows alone.

    Numbers are standardised, with the training median in place of what is missing and an encoded column that says so when the
    training rows miss any. Categories get one encoded column each; one that the training rows do not have leaves all its encoded
    columns 0.

    Args:
        inputs: Codes of the input columns, in column order.
        target: The column to be predicted, or None.
        label_columns: The labels to be predicted, any number per row, or None.
        classes: Names of the target's classes in index order; empty for a value.
        sensitive: How sensitive features are read; they are no inputs unless a code in `inputs` says so.
        cells: How raw cells read.
        labels: What values and columns of raw rows are called in all that stands above.
    """

    inputs: tuple[NumberCode | CategoryCode, ...]
    target: str | None = None
    label_columns: LabelColumns | None = None
    classes: tuple[str, ...] = ()
    sensitive: tuple[GroupCode, ...] = ()
    cells: Cells = field(default_factory=Cells)
    labels: Labels = field(default_factory=Labels)

    @property
    def width(self) -> int:
        """Number of encoded columns of an encoded row."""
        return sum(code.width for code in self.inputs)

    def features(self, units: Mapping[str, str], decimals: Mapping[str, int] | None = None) -> tuple[Feature, ...]:
        """Return the inputs as a person knows them, with the encoded columns that carry each."""
        starts = np.cumsum([0, *(code.width for code in self.inputs)])
        return tuple(
            Feature(
                name=code.name,
                kind="category" if isinstance(code, CategoryCode) else "number",
                columns=tuple(range(int(start), int(start) + code.width)),
                unit=units.get(code.name),
                decimals=(decimals or {}).get(code.name),
                categories=code.categories if isinstance(code, CategoryCode) else (),
            )
            for code, start in zip(self.inputs, starts, strict=False)
        )

    def encode(self, raw: pd.DataFrame) -> Split:
        """Encode raw rows; the truth comes along where it is known (-1 or NaN elsewhere), groups where their columns are present.

        The row ids are the frame's index where that is unique whole numbers, else positions.

        Raises:
            DataError: An input column is missing, a value cannot be read, or a truth is no known class.
        """
        raw = self.labels.apply(raw)
        numbers, coded = self._cells_of_inputs(raw)
        truth = self._truth(raw)
        unique = raw.index.is_unique and pd.api.types.is_integer_dtype(raw.index)
        return Split(
            inputs=(self._inputs(len(raw), numbers, coded),),
            rows=raw.index.to_numpy() if unique else np.arange(len(raw)),
            target=self.label_columns.encoded(raw, self.cells) if self.label_columns is not None else self._target(truth),
            groups=self._groups(raw),
            raw=self._read(raw, numbers, coded, truth),
        )

    def tensors(self, raw: pd.DataFrame) -> tuple[Tensor, Tensor | None]:
        """Return the inputs `(n, width)` and the truth `(n,)` of raw rows and nothing else, which takes less time than `encode`.

        Raises:
            DataError: As `encode` does.
        """
        raw = self.labels.apply(raw)
        numbers, coded = self._cells_of_inputs(raw)
        return self._inputs(len(raw), numbers, coded), self._truths(raw)

    def unusual(self, raw: pd.DataFrame) -> tuple[Unusual, ...]:
        """Return missing cells, and categories and values that the training rows did not have, counted per input column.

        Raises:
            DataError: An input column is missing, or a value cannot be read.
        """
        raw = self.labels.apply(raw)
        self._require(raw)
        return tuple(one for code in self.inputs for one in code.unusual(raw[code.name], self.cells))

    def preprocessing(self) -> dict[str, Any]:
        """Return how raw rows become inputs, as `ExportedEncoder` says."""
        content = self.to_json()
        columns, cells = content["inputs"], content["cells"]
        names = {column["name"] for column in columns} | {code.column for code in self.sensitive}
        readings = {name: reading for name, reading in cells.get("columns", {}).items() if name in names}
        told = {"columns": columns, "cells": {**cells, "columns": readings}, "labels": content["labels"]}
        return {"kind": "table", **told, "groups": [code.told() for code in self.sensitive]}

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        kinds = {NumberCode: "number", CategoryCode: "category"}
        inputs = [{"kind": kinds[type(code)], **_plain(code)} for code in self.inputs]
        sensitive = [_plain(code) for code in self.sensitive]
        rest = {
            "target": self.target,
            "label_columns": None if self.label_columns is None else self.label_columns.to_json(),
            "classes": list(self.classes),
            "cells": self.cells.to_json(),
            "labels": self.labels.to_json(),
        }
        return {"inputs": inputs, "sensitive": sensitive, **rest}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from `to_json`."""
        return cls(
            inputs=tuple(_input_code(code) for code in content["inputs"]),
            target=content["target"],
            label_columns=None if content["label_columns"] is None else LabelColumns.from_json(content["label_columns"]),
            classes=tuple(content["classes"]),
            sensitive=tuple(GroupCode(**{**c, "bins": c["bins"] and tuple(c["bins"])}) for c in content["sensitive"]),
            cells=Cells.from_json(content["cells"]),
            labels=Labels.from_json(content["labels"]),
        )

    def _cells_of_inputs(self, raw: pd.DataFrame) -> tuple[np.ndarray, dict[str, _Coded]]:
        """Return the numbers `(columns, n)` and the coded categories of the inputs."""
        self._require(raw)
        numbers = number_block(raw, [code.name for code in self.inputs if isinstance(code, NumberCode)], self.cells)
        coded = {code.name: self.cells.coded(raw[code.name]) for code in self.inputs if isinstance(code, CategoryCode)}
        return numbers, coded

    def _require(self, raw: pd.DataFrame) -> None:
        absent = [code.name for code in self.inputs if code.name not in raw.columns]
        if absent:
            columns = [str(name) for name in raw.columns]
            raise DataError(f"the rows lack columns the model needs: {shorten(absent)}", available=columns)

    def _inputs(self, rows: int, values: np.ndarray, coded: Mapping[str, _Coded]) -> Tensor:
        numbers = [code for code in self.inputs if isinstance(code, NumberCode)]
        if numbers and len(numbers) == len(self.inputs):
            return torch.from_numpy(encode_numbers(numbers, values))
        ends = np.cumsum([0, *(code.width for code in self.inputs)])
        encoded_columns = np.empty((rows, self.width), dtype=np.float32)
        if numbers:
            places = [
                encoded_column
                for code, start in zip(self.inputs, ends.tolist(), strict=False)
                if isinstance(code, NumberCode)
                for encoded_column in range(start, start + code.width)
            ]
            encoded_columns[:, places] = encode_numbers(numbers, values)
        for place, code in enumerate(self.inputs):
            if isinstance(code, CategoryCode):
                encoded_columns[:, ends[place] : ends[place + 1]] = code.encode(*coded[code.name])
        return torch.from_numpy(encoded_columns)

    def _truth(self, raw: pd.DataFrame) -> pd.Series | None:
        """Return the target as text or numbers, absent where it is not known; None where rows have none."""
        if self.target is None or self.target not in raw.columns:
            return None
        return (self.cells.texts if self.classes else self.cells.numbers)(raw[self.target])

    def _target(self, truth: pd.Series | None) -> Tensor | None:
        if truth is None or truth.isna().all():
            return None
        if not self.classes:
            return torch.from_numpy(truth.to_numpy(dtype=np.float32))
        codes = pd.Index(self.classes).get_indexer(pd.Index(truth)).astype(np.int64)
        strange = (codes < 0) & truth.notna().to_numpy()
        if strange.any():
            raise DataError(
                f"'{self.target}' holds a class that the training rows do not have",
                got=", ".join(repr(name) for name in list(dict.fromkeys(truth[strange]))[:5]),
                where=f"row {truth.index[strange][0]}",
                available=self.classes,
            )
        return torch.from_numpy(codes)

    def _truths(self, raw: pd.DataFrame) -> Tensor | None:
        """Return what `_target` returns; of classes each different cell is read once and no row is written as text."""
        if not self.classes or self.target not in raw.columns:
            return self._target(self._truth(raw))
        codes, known = self.cells.coded(raw[self.target])
        class_of = {name: place for place, name in enumerate(self.classes)}
        places = np.array([*(class_of.get(str(name), -2) if name is not None else -1 for name in known), -1])[codes]
        if not (places >= 0).all():
            return self._target(self._truth(raw))  # it says which class is not known, and whether there is any truth
        return torch.from_numpy(places.astype(np.int64))

    def _groups(self, raw: pd.DataFrame) -> pd.DataFrame | None:
        found = [code for code in self.sensitive if code.column in raw.columns]
        if not found:
            return None
        columns = {code.name: code.groups(raw[code.column], self.cells) for code in found}
        return pd.DataFrame(columns).reset_index(drop=True)

    def _read(self, raw: pd.DataFrame, values: np.ndarray, coded: Mapping[str, _Coded], truth: pd.Series | None) -> pd.DataFrame:
        """Return the columns this encoder knows as a person knows them."""
        names = [code.name for code in self.inputs]
        numbers = pd.DataFrame(values.T, columns=[code.name for code in self.inputs if isinstance(code, NumberCode)])
        texts = np.empty((len(raw), len(coded)), dtype=object)
        for place, (codes, known_as) in enumerate(coded.values()):
            texts[:, place] = np.array([*known_as, None], dtype=object)[codes]
        categories = pd.DataFrame(texts, columns=[*coded], dtype=object)
        columns: dict[str, pd.Series] = {}
        known = set(names)
        for code in self.sensitive:
            if code.column in raw.columns and code.column not in known:
                known.add(code.column)
                names.append(code.column)
                columns[code.column] = code.read(raw[code.column], self.cells)
        if truth is not None:
            columns[str(self.target)] = truth
            names += [] if self.target in known else [str(self.target)]
        for name in () if self.label_columns is None else self.label_columns.columns:
            if name in raw.columns:
                columns[name] = self.cells.texts(raw[name])
                names.append(name)
        others = pd.DataFrame(columns, index=raw.index).reset_index(drop=True)
        inputs = [part.drop(columns=[*columns], errors="ignore") for part in (numbers, categories)]
        return pd.concat([*inputs, others], axis=1)[names]


def _plain(code: NumberCode | CategoryCode | GroupCode) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(code).items()}


def _input_code(content: Mapping[str, Any]) -> NumberCode | CategoryCode:
    settings = {name: value for name, value in content.items() if name != "kind"}
    if content["kind"] == "number":
        return NumberCode(**settings)
    return CategoryCode(**{**settings, "categories": tuple(settings["categories"])})
