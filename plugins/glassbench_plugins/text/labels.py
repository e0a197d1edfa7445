"""What a table says of each text beside the text: its class and its groups."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.groups import GroupCode, groups_of


@dataclass(frozen=True, kw_only=True)
class Labels:
    """How the target and the sensitive features are read.

    Args:
        target: The column of classes.
        classes: Their names in index order.
        sensitive: How sensitive features are read.
        cells: How raw cells read.
    """

    target: str
    classes: tuple[str, ...]
    sensitive: tuple[GroupCode, ...] = ()
    cells: Cells = field(default_factory=Cells)

    def truth(self, raw: pd.DataFrame) -> Tensor | None:
        """Return class indices `(n,)`, or None where a row has none.

        Raises:
            DataError: A row has a class that the training rows do not have.
        """
        if self.target not in raw.columns:
            return None
        names = self.cells.texts(raw[self.target])
        if names.isna().any():
            return None
        codes = pd.Index(self.classes).get_indexer(pd.Index(names)).astype(np.int64)
        if (codes < 0).any():
            raise DataError(
                f"'{self.target}' holds a class that the training rows do not have",
                got=", ".join(repr(name) for name in list(dict.fromkeys(names[codes < 0]))[:5]),
                where=f"row {raw.index[codes < 0][0]}",
                available=self.classes,
            )
        return torch.from_numpy(codes)

    def groups(self, raw: pd.DataFrame) -> pd.DataFrame | None:
        """Return the group of each row, one column per sensitive feature whose column is there; None where none is."""
        return groups_of(self.sensitive, raw, self.cells)

    def read(self, raw: pd.DataFrame) -> dict[str, pd.Series]:
        """Return the columns these labels come from, as a person knows them."""
        columns = {code.column: code.read(raw[code.column], self.cells) for code in self.sensitive if code.column in raw.columns}
        return columns | ({self.target: self.cells.texts(raw[self.target])} if self.target in raw.columns else {})

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild labels from `to_json`."""
        return cls(
            target=content["target"],
            classes=tuple(content["classes"]),
            sensitive=tuple(GroupCode(**{**c, "bins": c["bins"] and tuple(c["bins"])}) for c in content["sensitive"]),
            cells=Cells.from_json(content["cells"]),
        )
