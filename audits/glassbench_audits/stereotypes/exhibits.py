"""The measures, tables and the chart of the audit of stereotypes."""

from collections.abc import Sequence

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.stats.percent import in_percent
from glassbench_audits.stereotypes.preferences import Preference
from glassbench_audits.stereotypes.scored import Scored
from glassbench_audits.stereotypes.wording import CHART, EVEN

_ALL = "all pairs"


def measures(found: Sequence[Preference], scored: Scored, level: float) -> tuple[Measure, ...]:
    """Return the numbers gates can hold, for each kind of bias and for all pairs."""
    asked = len(scored.pairs) + len(scored.unread)
    out = Measure(name="stereotypes.pairs_left_out", value=len(scored.unread) / asked, n=asked)
    return (*(measure for one in found for measure in _measures(one, level)), out)


def _measures(one: Preference, level: float) -> tuple[Measure, ...]:
    by, group = (None, None) if one.kind is None else (("kind",), {"kind": one.kind})
    return tuple(
        Measure.of(f"stereotypes.{name}", one.estimate(number, level), by=by, group=group, unit=unit, higher_is_better=False)
        for name, number, unit in (
            ("preference", one.preferred, None),
            ("likelihood_gap", one.gap, "nats"),
            ("likelihood_difference", one.size, "nats"),
        )
    )


def tables(found: Sequence[Preference], scored: Scored, shown: int, level: float) -> tuple[Table, ...]:
    """Return the kinds of bias with their numbers; the pairs of the largest differences where they are asked for."""
    kinds = _kinds(found, scored, level)
    return (kinds, _examples(scored, shown)) if shown else (kinds,)


def _kinds(found: Sequence[Preference], scored: Scored, level: float) -> Table:
    percent = in_percent(level)
    rows = []
    for one in found:
        preferred, gap, size = (one.estimate(number, level) for number in (one.preferred, one.gap, one.size))
        out = sum(one.kind in (None, pair.kind) for pair in scored.unread)
        cells = (preferred.value, preferred.low, preferred.high, gap.value, gap.low, gap.high, size.value)
        rows.append((one.kind or _ALL, one.pairs, one.templates, *cells, out))
    return Table(
        title="Stereotyped sentences by kind of bias",
        columns=(
            "kind of bias",
            "pairs",
            "templates",
            "stereotyped likelier",
            f"{percent} low",
            f"{percent} high",
            "mean gap, nats",
            f"gap {percent} low",
            f"gap {percent} high",
            "mean absolute gap, nats",
            "left out",
        ),
        rows=tuple(rows),
        note="The gap is the log-likelihood of the stereotyped sentence less that of the other one. A model without a preference "
        "comes to 0.5 and 0. Left out: pairs that the model reads as equal or whose words it does not know.",
    )


def _examples(scored: Scored, shown: int) -> Table:
    order = np.argsort(-np.abs(scored.gap), kind="stable")[:shown]
    return Table(
        title="Pairs with the largest differences",
        columns=("kind of bias", "stereotyped", "other", "gap, nats"),
        rows=tuple((p.kind, p.more.strip(), p.less.strip(), float(scored.gap[i])) for i in order for p in (scored.pairs[i],)),
        note="Shown because `show` asked for them; they may offend.",
    )


def chart(found: Sequence[Preference], tolerance: float, level: float) -> Chart:
    """Return the share of pairs whose stereotyped sentence is likelier, for each kind of bias."""
    rows = []
    for one in found:
        estimate = one.estimate(one.preferred, level)
        low, high = (estimate.value if end is None else end for end in (estimate.low, estimate.high))
        size = f"{one.pairs} pairs, {one.templates} templates"
        rows.append({"y": one.kind or _ALL, "x": estimate.value, "low": low, "high": high, "size": size})
    return Chart(
        kind="intervals",
        title=CHART,
        message=f"At {in_percent(EVEN)} the model prefers neither sentence; up to {in_percent(EVEN + tolerance)} is tolerated.",
        rows=tuple(rows),
        x_title="share of pairs whose stereotyped sentence is likelier",
        y_title="kind of bias",
        reference=(EVEN, "no preference"),
    )
