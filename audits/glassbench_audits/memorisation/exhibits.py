"""The measures, tables and the chart of the audit of memorisation."""

from collections.abc import Sequence

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.stats.percent import in_percent
from glassbench_audits.memorisation.canaries import Exposure
from glassbench_audits.memorisation.membership import Membership

BINS = 24


def measures(found: Membership, canaries: Sequence[tuple[Exposure, float]]) -> tuple[Measure, ...]:
    """Return the numbers gates can hold."""
    of = (
        Measure.of("memorisation.loss_gap", found.gap, unit="nats per token", higher_is_better=False),
        Measure.of("memorisation.membership_auc", found.area, higher_is_better=False),
        Measure.of("memorisation.continued_training", found.training, higher_is_better=False),
        Measure.of("memorisation.continued_held_out", found.held_out, higher_is_better=False),
        Measure.of("memorisation.continued_difference", found.difference, higher_is_better=False),
    )
    return (*of, *(measure for one, p in canaries for measure in _of_canary(one, p)))


def _of_canary(one: Exposure, p: float) -> tuple[Measure, ...]:
    by, group, known = ("canary",), {"canary": one.canary.name}, one.unread is None
    bits, chance = (one.bits, p) if known else (None, None)
    return (
        Measure(
            name="memorisation.exposure",
            value=bits,
            undefined=one.unread,
            n=one.compared,
            by=by,
            group=group,
            unit="bits",
            higher_is_better=False,
        ),
        Measure(
            name="memorisation.canary_p_value",
            value=chance,
            undefined=one.unread,
            n=one.compared,
            by=by,
            group=group,
            higher_is_better=True,
        ),
    )


def tables(found: Membership, canaries: Sequence[tuple[Exposure, float]], level: float) -> tuple[Table, ...]:
    """Return training texts against held-out ones, and the canaries where there are some."""
    percent = in_percent(level)
    texts = Table(
        title="Training texts against held-out texts",
        columns=("what", "value", f"{percent} low", f"{percent} high", "texts"),
        rows=tuple(
            (what, one.value, one.low, one.high, one.n)
            for what, one in (
                ("loss of held-out less training texts, nats per token", found.gap),
                ("AUC of telling training texts by their loss", found.area),
                ("training texts continued word for word", found.training),
                ("held-out texts continued word for word", found.held_out),
                ("difference of these shares", found.difference),
            )
        ),
        note="Continued word for word: after the first half of a text, the likeliest token is the true one up to its end.",
    )
    return (texts, _canaries(canaries)) if canaries else (texts,)


def _canaries(canaries: Sequence[tuple[Exposure, float]]) -> Table:
    return Table(
        title="Planted secrets",
        columns=("sentence", "secrets of this form", "compared with", "exposure, bits", "most possible", "p, corrected"),
        rows=tuple(
            (
                one.canary.name,
                one.canary.space,
                one.compared,
                *((one.bits, float(np.log2(one.compared + 1)), p) if one.unread is None else (None, None, None)),
            )
            for one, p in canaries
        ),
        note="Exposure in bits: each bit halves how many guesses find the secret; about 1 is chance. The secrets are not shown.",
    )


def chart(training: np.ndarray, held_out: np.ndarray) -> Chart:
    """Return how losses per text are distributed, each array `(n,)` in nats per token."""
    edges = np.histogram_bin_edges(np.concatenate([training, held_out]), bins=BINS)
    rows = []
    for name, losses in (("training texts", training), ("held-out texts", held_out)):
        shares = np.histogram(losses, edges)[0] / len(losses)
        middles = (edges[:-1] + edges[1:]) / 2
        rows += [{"x": float(x), "y": float(y), "color": name} for x, y in zip(middles, shares, strict=True)]
    return Chart(
        kind="lines",
        title="Losses of training and held-out texts",
        message="Where the line of training texts lies far left of the other, the model knows texts by heart.",
        rows=tuple(rows),
        x_title="loss of a text, nats per token",
        y_title="share of texts",
    )
