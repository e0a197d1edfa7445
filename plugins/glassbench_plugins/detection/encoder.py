"""From files of images to what a model of boxes was trained on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Split
from glassbench.errors import DataError
from glassbench_plugins.vision.files import Form, read_image
from glassbench_plugins.vision.scaling import Scaling

FILE = "file"


@dataclass(frozen=True, kw_only=True)
class BoxEncoder:
    """Reads the images that a table names in its column `file`, relative to the current folder.

    Args:
        form: What every image is brought to.
        scaling: Fitted to the training images.
    """

    form: Form
    scaling: Scaling

    def encode(self, raw: pd.DataFrame) -> Split:
        """Read the images.

        Raises:
            DataError: There is no column `file`, or an image cannot be read.
        """
        if FILE not in raw.columns:
            raise DataError(f"the rows need a column '{FILE}' that names images", available=[str(name) for name in raw.columns])
        images = [read_image(Path(str(name)).expanduser(), self.form) for name in raw[FILE]]
        pixels = np.stack(images) if images else np.zeros((0, *self.form.shape), dtype=np.uint8)
        inputs = (self.scaling(torch.from_numpy(pixels)),)
        return Split(inputs=inputs, rows=np.arange(len(raw)), raw=raw.reset_index(drop=True))

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from `to_json`."""
        scaling = {name: tuple(values) for name, values in content["scaling"].items()}
        return cls(form=Form(**content["form"]), scaling=Scaling(**scaling))
