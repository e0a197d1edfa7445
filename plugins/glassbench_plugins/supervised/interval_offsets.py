"""How far predicted intervals are widened so that they hold the truth as often as they promise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from glassbench.stats.conformal import conformal_limit

EVERYONE = "all rows"
"""What rows are called whose interval was widened by the offset of all rows."""


@dataclass(frozen=True, kw_only=True)
class IntervalOffsets:
    """By how much intervals are widened on either side; below 0 they are narrowed.

    Conformalised quantile regression (Romano, Patterson and Candès 2019): the offset is a quantile of how far truths of held-out
    rows lie outside their interval. By group it is read off the rows of each group (Mondrian; Vovk et al. 2005).

    Args:
        offset: Of all rows.
        rows: How many held-out rows it was read off.
        feature: The sensitive feature whose groups have offsets of their own, or None.
        groups: These offsets, by group.
        group_rows: How many rows each was read off.
        small: Groups with too few rows for one, which get the offset of all rows, and their rows.
    """

    offset: float
    rows: int
    feature: str | None = None
    groups: Mapping[str, float] = field(default_factory=dict)
    group_rows: Mapping[str, int] = field(default_factory=dict)
    small: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def measured(
        cls,
        outside: np.ndarray,
        coverage: float,
        *,
        weight: np.ndarray | None = None,
        feature: str | None = None,
        groups: pd.Series | None = None,
        fewest: int = 1,
    ) -> Self:
        """Read offsets off held-out rows.

        Args:
            outside: How far each truth lies outside its interval `(n,)`, below 0 inside.
            coverage: The share of rows whose interval shall hold the truth.
            weight: Survey weight of each row `(n,)`; None where rows count alike.
            feature, groups: The feature and the group of each row `(n,)`, where offsets are by group.
            fewest: Rows that a group needs for an offset of its own.
        """
        counts = {} if groups is None else {str(name): int(n) for name, n in groups.value_counts().sort_index().items()}
        named = np.array([]) if groups is None else groups.astype(str).to_numpy()

        def limit(rows: np.ndarray | slice) -> float:
            return conformal_limit(outside[rows], coverage, None if weight is None else weight[rows])

        own = {name: limit(np.flatnonzero(named == name)) for name, n in counts.items() if n >= fewest}
        own = {name: offset for name, offset in own.items() if np.isfinite(offset)}
        return cls(
            offset=limit(slice(None)),
            rows=len(outside),
            feature=feature,
            groups=own,
            group_rows={name: n for name, n in counts.items() if name in own},
            small={name: n for name, n in counts.items() if name not in own},
        )

    def of(self, groups: pd.DataFrame | None, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the offset of each row, and the group it is of, both `(rows,)`.

        Rows of a small group, of one that held-out rows did not have, or whose group is not known get the offset of all rows.
        """
        if self.feature is None or groups is None or self.feature not in groups:
            return np.full(rows, self.offset), np.full(rows, EVERYONE, dtype=object)
        names = groups[self.feature].astype(str).to_numpy()
        chosen = np.array([name if name in self.groups else EVERYONE for name in names], dtype=object)
        return np.array([self.groups.get(name, self.offset) for name in names]), chosen

    @property
    def words(self) -> str:
        """How intervals came about, in words."""
        base = f"quantile regression, conformalised on {self.rows:,} validation rows"
        if self.feature is None:
            return base
        said = f"{base}, with an offset for each group of {self.feature}"
        few = ", ".join(f"“{name}” ({n})" for name, n in self.small.items())
        return f"{said} (too few validation rows for one of their own, so that of all rows: {few})" if few else said

    def to_json(self) -> dict[str, Any]:
        """Return the offsets as JSON values."""
        return {
            "offset": self.offset,
            "rows": self.rows,
            "feature": self.feature,
            "groups": dict(self.groups),
            "group_rows": dict(self.group_rows),
            "small": dict(self.small),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild offsets from `to_json`.

        Raises:
            KeyError, TypeError, ValueError: The content has another form.
        """
        feature = content["feature"]
        if not (feature is None or isinstance(feature, str)):
            raise TypeError(f"a feature has a name, not {feature!r}")
        return cls(
            offset=_number(content["offset"]),
            rows=int(content["rows"]),
            feature=feature,
            groups={str(name): _number(value) for name, value in content["groups"].items()},
            group_rows={str(name): int(n) for name, n in content["group_rows"].items()},
            small={str(name): int(n) for name, n in content["small"].items()},
        )


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError(f"an offset is a finite number, not {value!r}")
    return float(value)
