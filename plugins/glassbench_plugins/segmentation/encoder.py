"""From files of images, and of masks where they are known, to what a model was trained on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.schema import MISSING
from glassbench.errors import DataError
from glassbench_plugins.segmentation.mask_files import read_pair
from glassbench_plugins.vision.files import Form, read_image
from glassbench_plugins.vision.scaling import Scaling

FILE, MASK = "file", "mask"


@dataclass(frozen=True, kw_only=True)
class MaskEncoder:
    """Reads the images that a table names in its column `file`, and their masks where a column `mask` names them.

    Args:
        form: What every image is brought to.
        scaling: Fitted to the training images.
        classes: Names of the classes by number.
        values: The class number of each value in a mask.
        sensitive: Columns to audit by, where the table has them all.
    """

    form: Form
    scaling: Scaling
    classes: tuple[str, ...]
    values: Mapping[int, int]
    sensitive: tuple[str, ...] = ()

    def encode(self, raw: pd.DataFrame) -> Split:
        """Read the images; the masks come along when every row has one.

        Raises:
            DataError: There is no column `file`, a file cannot be read, or a mask does not fit its image.
        """
        if FILE not in raw.columns:
            raise DataError(f"the rows need a column '{FILE}' that names images", available=[str(name) for name in raw.columns])
        files = [Path(str(name)).expanduser() for name in raw[FILE]]
        masks: list[np.ndarray] | None = None
        if MASK in raw.columns and raw[MASK].notna().all() and (raw[MASK].astype(str) != "").all():
            named = [Path(str(name)).expanduser() for name in raw[MASK]]
            read = [read_pair(picture, mask, self.form, self.values) for picture, mask in zip(files, named, strict=True)]
            images, masks = [pixels for pixels, _ in read], [mask for _, mask in read]
        else:
            images = [read_image(file, self.form) for file in files]
        pixels = np.stack(images) if images else np.zeros((0, *self.form.shape), dtype=np.uint8)
        return Split(
            inputs=(self.scaling(torch.from_numpy(pixels)),),
            rows=np.arange(len(raw)),
            target=None if not masks else torch.from_numpy(np.stack(masks)),
            groups=self._groups(raw),
            raw=raw.reset_index(drop=True),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as plain JSON values."""
        return {**asdict(self), "values": [[value, code] for value, code in self.values.items()]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from `to_json`."""
        scaling = {name: tuple(values) for name, values in content["scaling"].items()}
        return cls(
            form=Form(**content["form"]),
            scaling=Scaling(**scaling),
            classes=tuple(content["classes"]),
            values={int(value): int(code) for value, code in content["values"]},
            sensitive=tuple(content["sensitive"]),
        )

    def _groups(self, raw: pd.DataFrame) -> pd.DataFrame | None:
        if not self.sensitive or not set(self.sensitive) <= set(map(str, raw.columns)):
            return None
        texts = raw[list(self.sensitive)].astype("string").replace("", pd.NA)
        return texts.fillna(MISSING).astype(object).reset_index(drop=True)
