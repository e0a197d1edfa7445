"""Self-tests that hold an explanation against what the model does on real rows."""

import numpy as np
import torch

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Table
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.explained import Rows, rows_of
from glassbench_audits.explain.checks.asked_rows import asked_auc, asked_rows, carried_over
from glassbench_audits.explain.checks.examined import Examined, skipped, undefined
from glassbench_audits.explain.checks.real_rows import (
    NEIGHBOURS,
    RealRows,
    exchanged_effects,
    held_against,
    in_probability,
    untold,
)
from glassbench_audits.explain.checks.reliability import Check, graded, margin
from glassbench_audits.explain.checks.reliability import worst as worst_of

ALLOWED, CONTRADICTED = 0.35, 0.5
"""How far an input's share of the explanation may lie outside what real rows allow."""

TOLD, UNTOLD = 0.7, 0.9
"""Share of the effects of exchanging inputs that attributions may leave untold."""

FORETOLD = 0.3
"""R squared from all inputs below which a forest cannot judge any of them."""

CARRIED, LOST = 0.6, 0.3
"""Share of what can be foretold of real rows that what the model says of the rows asked about must foretell."""

OFF = 0.75
"""Area under the ROC curve from which the rows asked lie off the data."""

_ROWS, _LIGHT, _HEAVY, _DEAR, _FEWEST = 500, 20_000, 2_000, 200, 30

_NAMES = ("explain.contradiction", "explain.asked_auc", "explain.asked_carried_over")

_REAL = "do real rows, none made up, bear it out?"
_EXCHANGE = "does it account for exchanges between real rows?"


def real_rows_checks(examined: Examined) -> tuple[Check, Check]:
    """Test the explanation on rows as they are, and on rows that differ in one input taken from a row that is otherwise alike."""
    reason = _inapplicable(examined)
    if reason:
        share, auc, left = (undefined(name, reason, higher_is_better=False) for name in (*_NAMES[:2], "explain.exchange_untold"))
        carried = undefined(_NAMES[2], reason, higher_is_better=True)
        return skipped("real rows", _REAL, reason, share, auc, carried), skipped("exchange", _EXCHANGE, reason, left)
    rows = rows_of(examined.subject, examined.subject.sample(_ROWS, "explain.real_rows"))
    return _real(examined, rows), _exchange(examined, rows)


def _inapplicable(examined: Examined) -> str | None:
    subject, explainer = examined.subject, examined.explainer
    table = subject.schema.layout.tabular and explainer.feature_groups.mask.shape == examined.rows.inputs.shape[1:]
    if not table or examined.rows.inputs.ndim != 2 or not examined.rows.inputs.is_floating_point():
        return "the rows are no table, or what is attributed to is no part of them"
    if reason := examined.unranked():
        return reason
    if len(subject.predictions.frame) < _FEWEST:
        return f"fewer than {_FEWEST} rows"
    return None if np.abs(examined.attributions).sum() > 0 else "nothing is attributed"


def _real(examined: Examined, rows: Rows) -> Check:
    explainer, generator = examined.explainer, examined.subject.generator("explain.real_rows")
    asked = asked_rows(explainer, rows, generator)
    real, made = (one.inputs.double().numpy() for one in (rows, asked))
    seed = int(generator.integers(2**31))
    auc = asked_auc(real, made, seed)
    apart = Measure(name="explain.asked_auc", value=auc, n=len(rows), higher_is_better=False)
    where = f"the rows that removal asks about are told from real ones with an AUC of {auc:.2f}"
    said, said_asked, found = _said(examined, rows), _said(examined, asked), None
    if said is not None and said_asked is not None:
        found = held_against(explainer.feature_groups, real, said, _scales(examined), seed, least=FORETOLD)
    if said is None or said_asked is None or found is None or not found.held:
        return _unjudged("a random forest cannot foretell from all inputs what the model says", where, auc, apart)
    carried = carried_over(made, said_asked, real, said, found.foretold, seed)
    worst = found.worst
    return Check(
        name="real rows",
        outcome=worst_of([graded(worst.contradiction, ALLOWED, CONTRADICTED), graded(carried, CARRIED, LOST)]),
        result=f"{_named(examined, worst.units)}: {in_percent(worst.attributed)} of the explanation, "
        f"{in_percent(worst.least)} to "
        f"{in_percent(worst.most)} of the model's decisions on real rows, {in_percent(worst.contradiction)} apart (at "
        f"most {in_percent(ALLOWED)}); "
        f"{where}; what the model says of those foretells {in_percent(carried)} of what can be foretold of real ones "
        f"(at least {in_percent(CARRIED)})",
        meaning=_REAL,
        measure=Measure(name=_NAMES[0], value=worst.contradiction, n=len(rows), higher_is_better=False),
        margin=min(margin(worst.contradiction, ALLOWED, CONTRADICTED), margin(carried, CARRIED, LOST)),
        more=(apart, Measure(name=_NAMES[2], value=carried, n=len(rows), higher_is_better=True)),
        tables=(_held_table(examined, found),),
    )


def _unjudged(reason: str, where: str, auc: float, apart: Measure) -> Check:
    """Return the test where nothing can be held against the explanation: weak where what it asks lies off the data."""
    share = undefined(_NAMES[0], reason, higher_is_better=False)
    carried = undefined(_NAMES[2], reason, higher_is_better=True)
    if auc < OFF:
        return skipped("real rows", _REAL, f"{reason}; {where}", share, apart, carried)
    return Check(
        name="real rows", outcome="weak", result=f"{reason}, and {where}", meaning=_REAL, measure=share, more=(apart, carried)
    )


def _scales(examined: Examined) -> list[np.ndarray]:
    """Return attributions as they are and, of log-odds, as contributions to the probability."""
    explainer = examined.explainer
    if not explainer.explained.softmax:
        return [examined.attributions]
    outputs, references = (
        values.double().numpy() for values in (explainer.explained.outputs(examined.rows), explainer.reference(examined.rows))
    )
    return [examined.attributions, in_probability(examined.attributions, outputs, references)]


def _named(examined: Examined, units: tuple[int, ...]) -> str:
    names = examined.explainer.feature_groups.names or tuple(
        f"input {unit + 1}" for unit in range(len(examined.explainer.feature_groups))
    )
    first = ", ".join(names[unit] for unit in units[:3])
    return first if len(units) <= 3 else f"{first} and {len(units) - 3} more"


def _held_table(examined: Examined, found: RealRows) -> Table:
    return Table(
        title="The explanation held against real rows",
        columns=("inputs", "share of the explanation", "at least", "at most", "apart"),
        rows=tuple((_named(examined, one.units), one.attributed, one.least, one.most, one.contradiction) for one in found.held),
        note="Shares of the variance of attributions beside those of what the model says on rows as they are, by random forests, "
        f"out of bag (R squared {found.foretold:.2f} from all inputs). An input that decisions hang on is missed where it is "
        "left out. The most that a set may account for includes what no input foretells.",
    )


def _said(examined: Examined, rows: Rows) -> np.ndarray | None:
    """Return what the model says of rows `(n, k)`: the probability of each class, or the explained number; None for more."""
    explained = examined.explainer.explained
    with torch.no_grad():
        output = explained(rows.inputs, *rows.others).double()
    if output.ndim > 2 or not bool(torch.isfinite(output).all()):
        return None
    if output.ndim == 2 and explained.softmax and output.shape[1] > 1:
        output = torch.softmax(output, dim=1)
    said: np.ndarray = output.reshape(len(rows), -1).numpy()
    return said


def _exchange(examined: Examined, rows: Rows) -> Check:
    explainer, name = examined.explainer, "explain.exchange_untold"
    budget = explainer.explained.affords(_LIGHT, _HEAVY, _DEAR)
    some = rows.take(slice(0, max(_FEWEST, budget // len(explainer.feature_groups))))
    effects = exchanged_effects(explainer, some, examined.subject.generator("explain.exchange"))
    left = untold(effects, examined.attributions)
    if not np.isfinite(left):
        reason = "no exchange changes what the model says"
        return skipped("exchange", _EXCHANGE, reason, undefined(name, reason, higher_is_better=False))
    return Check(
        name="exchange",
        outcome=graded(left, TOLD, UNTOLD),
        result=f"{in_percent(left)} left untold of what changes when inputs are exchanged with those of the "
        f"{NEIGHBOURS} rows most alike "
        f"(at most {in_percent(TOLD)})",
        meaning=_EXCHANGE,
        measure=Measure(name=name, value=left, n=len(some), higher_is_better=False),
        margin=margin(left, TOLD, UNTOLD),
        tables=(_table(examined, effects),) if explainer.feature_groups.features else (),
    )


def _table(examined: Examined, effects: np.ndarray) -> Table:
    size, moved = np.abs(examined.attributions).mean(axis=0), effects.mean(axis=0)
    order = np.argsort(-np.maximum(size, moved), kind="stable")[:20]
    rows = tuple((examined.explainer.feature_groups.names[u], float(size[u]), float(moved[u])) for u in order)
    return Table(
        title="Attributions beside exchange between real rows",
        columns=("input", "mean |attribution|", "mean change when exchanged"),
        rows=rows,
        note=f"Each input of {len(effects)} rows takes the value of one of the {NEIGHBOURS} rows most alike in all other inputs. "
        "A change far above an attribution says that the explanation misses what the model does on real rows; a change below it, "
        "that inputs go together.",
    )
