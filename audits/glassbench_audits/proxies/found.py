"""What was found for each sensitive feature, corrected for how many were looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from glassbench.stats.p_values import holm
from glassbench_audits.proxies.disparity import Disparity
from glassbench_audits.proxies.groups import Groups
from glassbench_audits.proxies.proxy_features import ProxyFeatures
from glassbench_audits.proxies.separation import Separation


@dataclass(frozen=True, eq=False, kw_only=True)
class Found:
    """What was found for one sensitive feature.

    Args:
        groups: Its groups among the rows behind the inputs.
        names: The inputs; empty where they have no names.
        told: How well inputs tell the groups apart.
        carried: Which inputs carry that; None where they have no names.
        leaning: The groups among the rows that were explained; None where none were.
        units: The inputs as attributions name them.
        leaned: How well attributions tell the groups apart; None likewise.
        differs: How attributions differ between groups; None likewise, or where they have no names.
    """

    groups: Groups
    names: tuple[str, ...]
    told: Separation
    carried: ProxyFeatures | None
    leaning: Groups | None = None
    units: tuple[str, ...] = ()
    leaned: Separation | None = None
    differs: Disparity | None = None

    @property
    def feature(self) -> str:
        """The sensitive feature."""
        return self.groups.feature

    def carrying(self, alarm: float) -> list[int]:
        """Return the inputs that surely go with the groups, the strongest first; none unless all inputs together do."""
        if self.carried is None or self.told.p > alarm:
            return []
        sure = np.flatnonzero(self.carried.p <= alarm)
        return [int(place) for place in sure[np.argsort(-self.carried.strength[sure], kind="stable")]]


def corrected(found: Sequence[Found]) -> tuple[Found, ...]:
    """Return the same with p-values corrected by Holm's method over all features and questions."""
    raw = [[one.told.p, _p(one.leaned), _least(one.differs)] for one in found]
    fixed = holm(np.array(raw).ravel()).reshape(-1, 3)
    return tuple(_with(one, *(float(p) for p in row)) for one, row in zip(found, fixed, strict=True))


def _with(found: Found, told: float, leaned: float, least: float) -> Found:
    return replace(
        found,
        told=replace(found.told, p=told),
        leaned=None if found.leaned is None else replace(found.leaned, p=leaned),
        differs=None if found.differs is None else replace(found.differs, p=_scaled(found.differs.p, least)),
    )


def _scaled(p: np.ndarray, least: float) -> np.ndarray:
    """Return p-values multiplied by as much as the smallest of them was."""
    scaled: np.ndarray = np.minimum(p * least / p.min(), 1)
    return scaled


def _p(separation: Separation | None) -> float:
    return np.nan if separation is None else separation.p


def _least(disparity: Disparity | None) -> float:
    return np.nan if disparity is None else float(disparity.p.min())
