"""The findings of the audit of proxies, in sentences."""

from collections.abc import Sequence

import numpy as np

from glassbench.contracts.evidence import Finding
from glassbench.stats.grade import Grade
from glassbench.stats.p_values import p_words
from glassbench.stats.percent import in_percent
from glassbench_audits.proxies.found import Found
from glassbench_audits.proxies.separation import Separation

FAINT = 0.6
"""Area under the ROC curve below which nothing much can be told, if the whole interval stays below."""

NAMED = 3


def findings(found: Sequence[Found], alarm: float) -> tuple[Finding, ...]:
    """Return what gives each sensitive feature away, or that nothing was found to."""
    return tuple(finding for one in found for finding in _findings(one, alarm))


def _findings(one: Found, alarm: float) -> tuple[Finding, ...]:
    told = _told(one, one.told, "the inputs", "inputs", _carried(one, alarm), alarm)
    if one.leaned is None:
        return (told,)
    leaned = _told(one, one.leaned, "what the model leans on", "attributions", "", alarm)
    return (told, leaned, *_differing(one, alarm))


def _told(one: Found, told: Separation, of: str, name: str, more: str, alarm: float) -> Finding:
    size = f"AUC {told.auc:.2f} [{told.low:.2f}, {told.high:.2f}], p {p_words(told.p)} corrected"
    names = (f"proxies.{name}_auc", f"proxies.{name}_p_value")
    if told.p <= alarm:
        text = f"{one.feature} can be told from {of} ({size}){more}."
        step = "Ask whether the inputs that carry it are needed; leave them out and compare the gaps."
        return Finding(sentence=text, grade="concern", measures=names, weight=0.5 * told.auc, by=(one.feature,), next_step=step)
    grade: Grade = "ok" if told.high < FAINT else "unclear"
    missed = "" if grade == "ok" else f"; {told.n} rows cannot rule out a relation"
    text = f"{one.feature} was not told from {of} ({size}){missed}."
    return Finding(sentence=text, grade=grade, measures=names, weight=0.3, by=(one.feature,))


def _carried(one: Found, alarm: float) -> str:
    names = [one.names[place] for place in one.carrying(alarm)[:NAMED]]
    if one.carried is None or not names:
        return ""
    return f"; {names[0]} carries it most" + (f", then {' and '.join(names[1:])}" if names[1:] else "")


def _differing(one: Found, alarm: float) -> tuple[Finding, ...]:
    if one.differs is None or one.leaning is None or not (one.differs.p <= alarm).any():
        return ()
    clear = np.where(one.differs.p <= alarm, np.abs(one.differs.difference), -1)
    group, unit = np.unravel_index(int(clear.argmax()), clear.shape)
    difference = one.differs.difference[group, unit]
    span = f"[{one.differs.low[group, unit]:.3g}, {one.differs.high[group, unit]:.3g}]"
    text = (
        f"The model leans on {one.units[unit]} {'more' if difference > 0 else 'less'} where {one.feature} is "
        f"“{one.leaning.names[group]}”: mean |attribution| differs by {difference:.3g} {span} from the rest, "
        f"{in_percent(abs(difference) / one.differs.mean[unit])} of its mean."
    )
    step = f"Find out why {one.units[unit]} counts for more in one group, and whether it may."
    return (Finding(sentence=text, grade="concern", measures=("proxies.disparity_p_value",), weight=0.4, next_step=step),)
