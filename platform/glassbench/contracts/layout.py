"""What the inputs of a row are, as far as audits must know it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Facts about the inputs of rows of one modality.

    Args:
        columns: Whether each input is a column of its own, that can be changed alone.
        own_units: Whether columns come in their own units, and are not encoded.
        pixels: Whether values lie between black and white.
        channels: Which axis holds channels with a scale of their own, without the axis of rows; None where there is none.
        measured: Whether an instrument measured the values, so that rows are compared by numbers.
        sequential: Whether rows follow each other, so that neighbours are near by nature.
    """

    columns: bool = False
    own_units: bool = False
    pixels: bool = False
    channels: Literal["first", "last"] | None = None
    measured: bool = False
    sequential: bool = False

    @property
    def tabular(self) -> bool:
        """Whether rows are those of a table, encoded column by column."""
        return self.columns and not self.own_units


LAYOUTS: Mapping[str, Layout] = {
    "table": Layout(columns=True),
    "observation": Layout(columns=True, own_units=True, sequential=True),
    "image": Layout(pixels=True, channels="first", measured=True),
    "series": Layout(channels="last", measured=True),
    "audio": Layout(measured=True),
    "text": Layout(),
}
"""The layouts of the modalities there are."""
