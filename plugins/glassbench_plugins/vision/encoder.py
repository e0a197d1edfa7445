"""From files of images to what a model was trained on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.schema import MISSING
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.value_labels import Labels
from glassbench.toolkit.table.label_columns import LabelColumns
from glassbench_plugins.vision.files import Form, read_image
from glassbench_plugins.vision.scaling import Scaling

FILE, LABEL = "file", "label"
CELLS = Cells(whole=True)


@dataclass(frozen=True, kw_only=True)
class ImageEncoder:
    """Reads the images that a table names in its column `file`, relative to the current folder.

    Args:
        form: What every image is brought to.
        scaling: Fitted to the training images.
        classes: Names of the classes in index order; a column `label` may bring the truth.
        sensitive: Columns to audit by, where the table has them all.
        called: What values and columns of raw rows are called in all that stands above.
        label_columns: Where the labels of an image stand, where it has any number of them; None where it has one class.
    """

    form: Form
    scaling: Scaling
    classes: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    called: Labels = field(default_factory=Labels)
    label_columns: LabelColumns | None = None

    def encode(self, raw: pd.DataFrame) -> Split:
        """Read the images; the truth comes along when every row has it.

        Raises:
            DataError: There is no column `file`, an image cannot be read, or a label is no known class.
        """
        raw = self.called.apply(raw).rename(columns={self.called.title(LABEL): LABEL})
        if FILE not in raw.columns:
            raise DataError(f"the rows need a column '{FILE}' that names images", available=[str(name) for name in raw.columns])
        images = [read_image(Path(str(name)).expanduser(), self.form) for name in raw[FILE]]
        pixels = np.stack(images) if images else np.zeros((0, *self.form.shape), dtype=np.uint8)
        return Split(
            inputs=(self.scaling(torch.from_numpy(pixels)),),
            rows=np.arange(len(raw)),
            target=self._target(raw),
            groups=self._groups(raw),
            raw=raw.reset_index(drop=True),
        )

    def preprocessing(self) -> dict[str, Any]:
        """Return how bytes of an image become inputs, as `ExportedEncoder` says, and what files of images are brought to."""
        scale = {"divide": 255.0, "mean": list(self.scaling.mean), "std": list(self.scaling.std), "axis": 0}
        return {"kind": "scaled", "dtype": "uint8", "shape": list(self.form.shape), **scale, "images": asdict(self.form)}

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as plain JSON values."""
        several = None if self.label_columns is None else self.label_columns.to_json()
        return {**asdict(self), "called": self.called.to_json(), "label_columns": several}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from `to_json`."""
        scaling = {name: tuple(values) for name, values in content["scaling"].items()}
        return cls(
            form=Form(**content["form"]),
            scaling=Scaling(**scaling),
            classes=tuple(content["classes"]),
            sensitive=tuple(content["sensitive"]),
            called=Labels.from_json(content["called"]),
            label_columns=None if content["label_columns"] is None else LabelColumns.from_json(content["label_columns"]),
        )

    def _target(self, raw: pd.DataFrame) -> torch.Tensor | None:
        if self.label_columns is not None:
            return self.label_columns.encoded(raw, CELLS)
        if LABEL not in raw.columns or raw[LABEL].isna().any() or (raw[LABEL].astype(str) == "").any():
            return None
        codes = pd.Index(self.classes).get_indexer(pd.Index(raw[LABEL].astype(str)))
        if (codes < 0).any():
            stray = str(raw[LABEL].iloc[int(np.flatnonzero(codes < 0)[0])])
            raise DataError("a label is no class that the model knows", got=stray, available=self.classes)
        return torch.as_tensor(np.asarray(codes, dtype=np.int64))

    def _groups(self, raw: pd.DataFrame) -> pd.DataFrame | None:
        if not self.sensitive or not set(self.sensitive) <= set(map(str, raw.columns)):
            return None
        texts = raw[list(self.sensitive)].astype("string").replace("", pd.NA)
        return texts.fillna(MISSING).astype(object).reset_index(drop=True)
