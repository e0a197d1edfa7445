"""The explanation's tables, charts and measures."""

import math
from collections.abc import Sequence

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import SHARE_OF_INFLUENCE, Chart, Table
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.directions import MOST_ROWS
from glassbench_audits.attribution.importance import Importance
from glassbench_audits.explain.checks.reliability import Check, weakest
from glassbench_audits.explain.views.wording import CONSTANT, DIRECTED, DRIVERS, direction_words, leading_names, output_words

SHOWN = 20


def importance_table(subject: Subject, names: tuple[str, ...], picture: Importance, n: int, level: float) -> Table:
    """Return every input with its importance, most important first."""
    percent = in_percent(level)
    rows = tuple(
        (
            names[unit],
            float(picture.mean[unit]),
            float(picture.low[unit]),
            float(picture.high[unit]),
            float(picture.share[unit]),
            direction_words(subject, picture, int(unit)) or "",
            _number(picture.directions[unit].monotone),
            _number(picture.directions[unit].raising),
        )
        for unit in picture.order
    )
    return Table(
        title="Importance of each input",
        columns=(
            "input",
            "mean |attribution|",
            f"{percent} low",
            f"{percent} high",
            SHARE_OF_INFLUENCE,
            "direction",
            "rises minus falls",
            "rows it raises",
        ),
        rows=rows,
        note=f"Moves {output_words(subject)}; over {n} rows, intervals from resampling them. A direction is stated where higher "
        f"values push one way in at least {in_percent(CONSTANT)} of up to {MOST_ROWS} rows, of those that it moves; it is looked "
        f"for in the {DIRECTED} most important inputs.",
    )


def importance_chart(subject: Subject, names: tuple[str, ...], picture: Importance) -> Chart:
    """Return the most important inputs as points with intervals."""
    order = picture.order[:SHOWN]
    rows = tuple(
        {
            "y": names[unit],
            "x": float(picture.mean[unit]),
            "low": float(picture.low[unit]),
            "high": float(picture.high[unit]),
            "size": f"{in_percent(picture.share[unit])} of all",
        }
        for unit in order
    )
    more = f" The other {len(names) - SHOWN} are in the table." if len(names) > SHOWN else ""
    alone = len(picture.leaders) == 1
    first = f"{leading_names(names, picture)} {'moves' if alone else 'move'} {output_words(subject)} most"
    open_ = "" if alone else ", which of them more can't be told"
    return Chart(
        kind="intervals",
        title=DRIVERS,
        message=f"{first}{open_}; the label is {'its' if alone else 'the'} share of all influence.{more}",
        rows=rows,
        x_title=f"mean |attribution| to {output_words(subject)}",
        y_title="input",
        reference=(0.0, "no influence"),
    )


def checks_table(checks: Sequence[Check]) -> Table:
    """Return every self-test with its result."""
    rows = tuple((check.name, check.outcome, check.result, check.meaning) for check in checks)
    return Table(title="Self-tests of the explanation", columns=("test", "outcome", "result", "question"), rows=rows)


def measures(
    checks: Sequence[Check], names: tuple[str, ...], picture: Importance, n: int, together: Measure
) -> tuple[Measure, ...]:
    """Return the numbers gates can hold: each self-test's figure, the share passed, one input's largest share."""
    return (
        *(measure for check in checks for measure in check.measures),
        _reliable(checks),
        _margin(checks),
        _largest(names, picture, n),
        together,
    )


def _reliable(checks: Sequence[Check]) -> Measure:
    made = [check for check in checks if check.outcome != "not applicable"]
    name = "explain.reliable"
    if not made:
        return Measure(name=name, value=None, undefined="no self-test could be made", higher_is_better=True)
    passed = sum(check.outcome == "passed" for check in made)
    return Measure(name=name, value=passed / len(made), n=len(made), higher_is_better=True)


def _margin(checks: Sequence[Check]) -> Measure:
    """Return by how much the weakest self-test passes, in units of the distance between passing and failing."""
    name, least = "explain.weakest_margin", weakest(checks)
    if least is None or not math.isfinite(least.margin):
        reason = "the weakest self-test has no figure between passing and failing"
        return Measure(name=name, value=None, undefined=reason, higher_is_better=True)
    return Measure(name=name, value=least.margin, higher_is_better=True)


def _largest(names: tuple[str, ...], picture: Importance, n: int) -> Measure:
    name = "explain.largest_share"
    if not names:
        return Measure(name=name, value=None, undefined="the inputs carry no names")
    if picture.mean.sum() == 0:
        return Measure(name=name, value=None, undefined="no input has any influence")
    return Measure(name=name, value=float(picture.share.max()), n=n)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
