"""What errors of a slice are held against: a ratio and a gap, so that neither hides what the other shows."""

from dataclasses import dataclass

from glassbench.contracts.predictions.outputs import RowErrors
from glassbench.stats.grade import Grade
from glassbench.stats.percent import in_percent
from glassbench_audits.errors.slices import Slice


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """How much worse than other rows a slice may be.

    Args:
        times: How many times the errors of other rows it may have.
        gap: How far its errors may lie above those of other rows, in their own unit.
    """

    times: float
    gap: float

    def grade(self, one: Slice) -> Grade:
        """Return a concern where either is surely exceeded, ok where neither can be, else unclear."""
        (_, times_low, times_high), (_, gap_low, gap_high) = (tuple(map(float, part)) for part in (one.ratio, one.difference))
        if times_low > self.times or gap_low > self.gap:
            return "concern"
        return "ok" if times_high <= self.times and gap_high <= self.gap else "unclear"

    def words(self, one: Slice, errors: RowErrors) -> str:
        """Say which of the two is exceeded."""
        times, gap = f"{self.times:g} times", gap_amount(self.gap, errors)
        grade, narrow = self.grade(one), float(one.difference[2]) <= self.gap
        if grade == "ok":
            return f"within the tolerances of {times} and {gap}"
        if grade == "unclear":
            return f"not enough data to tell whether that is beyond the tolerances of {times} or {gap}"
        by_ratio, by_gap = float(one.ratio[1]) > self.times, float(one.difference[1]) > self.gap
        if by_ratio and by_gap:
            return f"beyond the tolerances of {times} and {gap}"
        if by_gap:
            return f"beyond the tolerance of {gap}"
        return f"beyond the tolerance of {times}{f', though not of {gap}' if narrow else ''}"


def gap_amount(value: float, errors: RowErrors) -> str:
    """Return a difference of mean errors in words: points of shares, else in the unit of the errors."""
    if errors.binary:
        return in_percent(value, 1).replace(" %", " points")
    return f"{value:.3g}{f' {errors.unit}' if errors.unit else ''}"


def gap_figure(one: Slice, errors: RowErrors) -> str:
    """Return how far a slice lies above other rows, with its interval, in words."""
    value, low, high = (gap_amount(float(end), errors) for end in one.difference)
    unit = value.partition(" ")[2]
    return f"{value} [{low.removesuffix(f' {unit}')}, {high.removesuffix(f' {unit}')}]"
