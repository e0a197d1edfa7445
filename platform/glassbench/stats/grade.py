"""What a finding means for its reader."""

from typing import Literal

Grade = Literal["ok", "concern", "unclear", "not applicable"]
"""The grade of a finding; passing and failing is for gates alone."""
