"""How far what one input does depends on another input."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.response import Response, answers
from glassbench_audits.explain.views.wording import output_words

LIGHT, HEAVY, DEAR = (12, 256), (6, 64), (3, 16)
"""Most inputs that are paired, the most important ones, and exchanges between rows; fewer for models that are dear to ask."""
FEWEST_ROWS = 10
MAINLY = 0.5
"""Share of what an input does from which it acts mainly through another."""
SLIGHT = 0.05
"""Share of the strongest input's effect below which an input is not worth a finding."""
_SHOWN, _SAID, _REPLICATES = 12, 3, 500
NAME = "explain.interaction_share"


@dataclass(frozen=True, eq=False, kw_only=True)
class Interactions:
    """Squared changes of the output, each exchange of values between two rows by itself.

    Args:
        units: The units that were paired `(k,)`.
        total: Half the squared change when a unit is exchanged `(m, k)`; its mean is the unit's total effect (Jansen 1999).
        pairs: Units of each pair, places in `units` `(p, 2)`.
        shared: A quarter of the squared second difference of each pair `(m, p)`; its mean is what the pair does together, other
            inputs included (Liu and Owen 2006).
    """

    units: np.ndarray
    total: np.ndarray
    pairs: np.ndarray
    shared: np.ndarray

    def shares(self, weights: np.ndarray) -> np.ndarray:
        """Return of each pair the shares of the first's and the second's total effect `(b, p, 2)`, exchanges weighed `(b, m)`."""
        below = (weights @ self.total)[:, self.pairs]
        above = (weights @ self.shared)[:, :, None]
        found = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
        shares: np.ndarray = np.minimum(found, 1.0)
        return shares


def interactions(explainer: Explainer, rows: Rows, order: np.ndarray, generator: np.random.Generator) -> Interactions | None:
    """Return how inputs act together, or None where they are no values of a table or the rows are few.

    Args:
        explainer: Says what a unit is, and holds the model.
        rows: The rows, which are background for one another.
        order: Units, the most important first.
        generator: Draws the exchanges.
    """
    if not answers(explainer, rows) or len(rows) < FEWEST_ROWS or len(explainer.feature_groups) < 2:
        return None
    most, draws = explainer.explained.affords(LIGHT, HEAVY, DEAR)
    units = np.asarray(order[:most])
    own = generator.integers(len(rows), size=draws)
    other = (own + generator.integers(1, len(rows), size=draws)) % len(rows)
    response = Response(explainer=explainer, rows=rows.take(torch.as_tensor(own)))
    donors = rows.inputs[torch.as_tensor(other)]
    before = response.exchanged((), donors)
    single = np.column_stack([response.exchanged((int(unit),), donors) for unit in units])
    pairs = np.array(list(combinations(range(len(units)), 2)))
    both = np.column_stack([response.exchanged((int(units[i]), int(units[j])), donors) for i, j in pairs])
    second = before[:, None] - single[:, pairs[:, 0]] - single[:, pairs[:, 1]] + both
    rounding = 1e-5 * np.abs(before).max()
    second, first = (np.where(np.abs(change) > rounding, change, 0.0) for change in (second, single - before[:, None]))
    return Interactions(units=units, total=first**2 / 2, pairs=pairs, shared=second**2 / 4)


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """One input and another that it acts through: the share with its interval, and whether the input matters."""

    first: str
    second: str
    share: float
    low: float
    high: float
    effect: float
    matters: bool


def interaction_evidence(
    subject: Subject, found: Interactions | None, names: tuple[str, ...], level: float
) -> tuple[Measure, tuple[Table, ...], tuple[Finding, ...]]:
    """Return how inputs act together as a measure, a table and findings."""
    pairs = [] if found is None else _pairs(found, names, subject.generator("explain.interactions.interval"), level)
    held = [pair for pair in pairs if pair.matters]
    if found is None or not held:
        reason = "inputs cannot be exchanged one by one" if found is None else "no input moves the output"
        return Measure(name=NAME, value=None, undefined=reason), (), ()
    first = max(held, key=lambda pair: pair.share)
    measure = Measure(name=NAME, value=first.share, low=first.low, high=first.high, level=level, n=len(found.total))
    mainly = sorted((pair for pair in held if pair.low >= MAINLY), key=lambda pair: -pair.effect)
    return measure, (_table(subject, held, found, level),), tuple(_finding(pair) for pair in mainly[:_SAID])


def _pairs(found: Interactions, names: tuple[str, ...], generator: np.random.Generator, level: float) -> list[_Pair]:
    m = len(found.total)
    point = found.shares(np.ones((1, m)))[0]
    drawn = found.shares(generator.multinomial(m, np.full(m, 1 / m), size=_REPLICATES).astype(np.float64))
    low, high = np.nanquantile(np.nan_to_num(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)
    total = found.total.mean(axis=0)
    return [
        _Pair(
            first=names[found.units[pair[side]]],
            second=names[found.units[pair[1 - side]]],
            share=float(point[place, side]),
            low=float(low[place, side]),
            high=float(high[place, side]),
            effect=float(total[pair[side]]),
            matters=bool(total[pair[side]] > SLIGHT * total.max()),
        )
        for place, pair in enumerate(found.pairs)
        for side in (0, 1)
        if np.isfinite(point[place, side])
    ]


def _table(subject: Subject, held: list[_Pair], found: Interactions, level: float) -> Table:
    shown = sorted(held, key=lambda pair: -pair.share)[:_SHOWN]
    percent = in_percent(level)
    return Table(
        title="Inputs that act together",
        columns=("input", "acts through", "share of its effect", f"{percent} low", f"{percent} high"),
        rows=tuple((pair.first, pair.second, pair.share, pair.low, pair.high) for pair in shown),
        note=f"Share of the squared changes of {output_words(subject)}, when the input takes another row's value, that depend on "
        f"the other input; over {len(found.total)} exchanges between rows and the {len(found.units)} most important inputs.",
    )


def _finding(pair: _Pair) -> Finding:
    return Finding(
        sentence=f"{pair.first} acts mainly through {pair.second}: {in_percent(pair.share)} [{in_percent(pair.low)}, "
        f"{in_percent(pair.high)}] of its "
        "effect depends on it.",
        grade="ok",
        measures=(NAME,),
        weight=0.55,
    )
