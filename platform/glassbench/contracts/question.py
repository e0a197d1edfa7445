"""What a committee asks of a model."""

from typing import Literal

Question = Literal["quality", "differences", "reasons", "data"]
"""Is it good enough, who is treated differently, why does it decide so, which problems do the data have."""
