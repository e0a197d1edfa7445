"""What a finding means for its reader."""

from typing import Literal

Grade = Literal["ok", "concern", "unclear", "not applicable"]
"""The grade of a finding; passing and failing is for gates alone."""

GRAVITY: dict[Grade, int] = {"not applicable": 0, "ok": 1, "unclear": 2, "concern": 3}
"""What a reader must hear first has the highest number."""
