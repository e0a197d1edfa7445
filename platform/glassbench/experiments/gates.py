"""The one function that turns measures and thresholds into verdicts and the exit code."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from glassbench.contracts.evidence import AuditResult, Measure
from glassbench.contracts.spelled_names import as_known
from glassbench.errors import ExperimentError
from glassbench.printable import printable_parts
from glassbench.stats.more_rows import MoreRows
from glassbench.stats.settings_types import Name
from glassbench.stats.verdict import Direction
from glassbench.stats.verdict import judge as judge_estimate

VerdictWord = Literal["pass", "fail", "insufficient evidence", "not applicable"]

EXIT_CODES: dict[VerdictWord, int] = {"pass": 0, "not applicable": 0, "fail": 1, "insufficient evidence": 3}

_SEVERITY: dict[VerdictWord, int] = {"not applicable": 0, "pass": 1, "insufficient evidence": 2, "fail": 3}


_LEAST_PERCENT = 10
"""Smaller numbers that a share is to reach are no percent: who writes 1.2 did not mean 0.012."""


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


Features = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""Names of features; one alone is a list of one."""


class Gate(BaseModel):
    """A threshold on a measure, or on how much worse it may be than in another run, set by the experiment's author.

    Args:
        measure: `<audit>.<measure>`; of a gate on another run `*` may stand for any part of the measure's name.
        by: Sensitive features the measure is broken down by; without it, the measure over all rows, or where there is none, every
            breakdown of it.
        group: One group, `{feature: value}`.
        at_least, at_most: The threshold; exactly one, unless `no_worse_than` is given.
        on: `interval` passes when the whole interval does; `value` looks at the point value alone.
        no_worse_than: Another run, the baseline: the gate passes only where the whole interval of the difference from it lies
            on the good side of the margin (non-inferiority).
        margin: How much worse than the baseline the measure may be, in its own unit, 0 or above; of shares, 0.02 for 2 points.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: str
    by: Features | None = None
    group: dict[str, Name] | None = None
    at_least: float | None = None
    at_most: float | None = None
    on: Literal["interval", "value"] = "interval"
    no_worse_than: str | None = Field(default=None, min_length=1)
    margin: float | None = None

    @field_validator("at_least", "at_most", "margin", mode="before")
    @classmethod
    def _is_a_number(cls, given: Any) -> Any:
        if isinstance(given, bool):
            raise ValueError(f"a number, and {str(given).lower()} is none")
        return given

    @field_validator("margin", mode="before")
    @classmethod
    def _margin_is_a_number(cls, given: Any) -> Any:
        if isinstance(given, str) and given.strip().endswith("%"):
            raise ValueError("a number in the measure's own unit: 0.02 for 2 % of a share")
        return given

    @model_validator(mode="after")
    def _has_one_threshold(self) -> "Gate":
        given = [t for t in (self.at_least, self.at_most) if t is not None]
        if self.no_worse_than is not None:
            return self._of_baseline(bool(given))
        if self.margin is not None:
            raise ValueError("a margin only beside `no_worse_than`")
        if "*" in self.measure:
            raise ValueError("one measure; `*` stands for several only beside `no_worse_than`")
        if len(given) != 1:
            raise ValueError("exactly one of at_least, at_most and no_worse_than")
        if not math.isfinite(given[0]):
            raise ValueError("a finite threshold")
        return self

    def _of_baseline(self, bounded: bool) -> "Gate":
        if bounded:
            raise ValueError("exactly one of at_least, at_most and no_worse_than")
        if self.margin is None or not 0 <= self.margin < math.inf:
            raise ValueError("a margin beside no_worse_than, 0 or above: how much worse the measure may be, as in margin: 0.02")
        if self.on == "value":
            raise ValueError("no `on: value` beside no_worse_than: a point value does not show that a run is no worse")
        return self

    @property
    def direction(self) -> Direction:
        """Whether the measure must reach the threshold or stay within it."""
        return "at_most" if self.at_least is None else "at_least"

    @property
    def threshold(self) -> float:
        """The threshold, whichever side it bounds."""
        return float(self.at_most if self.at_least is None else self.at_least)  # type: ignore[arg-type]


def misdirected(
    gate: Gate, higher_is_better: bool | None, highest: float | None = None, lowest: float | None = None
) -> tuple[str, str] | None:
    """Return what is wrong with a gate on a measure of a known direction or bound, and the likely fix; None where nothing is.

    Args:
        gate: The gate.
        higher_is_better: The measure's direction, None where neither is or it is not known.
        highest, lowest: What the measure can never exceed, or fall below; None where it is not known.

    Example:
        >>> misdirected(Gate(measure="fairness.demographic_parity_difference", at_least=0.1), False)[1]
        'at_most: 0.1'
    """
    words = {"at_least": "at least", "at_most": "at most"}
    better = None if higher_is_better is None else "at_least" if higher_is_better else "at_most"
    if better is not None and better != gate.direction:
        side = "higher" if higher_is_better else "lower"
        problem = f"a gate asks for {words[gate.direction]} {gate.threshold:g} of {gate.measure}, of which {side} is better"
        return problem, f"{better}: {gate.threshold:g}"
    if highest == 1 and gate.threshold > 1:
        least = _LEAST_PERCENT if gate.direction == "at_least" else 1
        fix = f"{gate.direction}: {gate.threshold / 100:g}" if least <= gate.threshold <= 100 else "a number from 0 to 1"
        return f"{gate.measure} is a share from 0 to 1, so that no value reaches {gate.threshold:g}", fix
    if lowest is not None and gate.threshold < lowest:
        every = "every value passes" if gate.direction == "at_least" else "no value passes"
        fix = "a number from 0 to 1" if (lowest, highest) == (0, 1) else f"a number above {lowest:g}"
        return f"{gate.measure} is never below {lowest:g}, so that {every} {words[gate.direction]} {gate.threshold:g}", fix
    return None


@dataclass(frozen=True, kw_only=True)
class GateVerdict:
    """What one gate came to.

    Args:
        gate: The gate.
        verdict: pass, fail or insufficient evidence.
        reason: Why, in one sentence.
        compared: The measures it looked at, the decisive one first.
        more_rows: How many more rows like these would settle it, or None.
    """

    gate: Gate
    verdict: VerdictWord
    reason: str
    compared: tuple[Measure, ...] = ()
    more_rows: MoreRows | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the gate and its verdict as plain JSON values."""
        more = None if self.more_rows is None else asdict(self.more_rows)
        rest = {"verdict": self.verdict, "reason": self.reason, "more_rows": more}
        return {**self.gate.model_dump(mode="json"), **rest, "compared": [asdict(m) for m in self.compared]}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What all gates together came to.

    Args:
        verdict: The worst of the gates; not applicable when none is set; insufficient evidence where an audit failed.
        gates: Each gate's own.
        failed_audits: Audits that failed and may not.
    """

    verdict: VerdictWord
    gates: tuple[GateVerdict, ...] = ()
    failed_audits: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 3 insufficient evidence."""
        return EXIT_CODES[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """Return the content of `verdict.json`."""
        failed = {"failed_audits": list(self.failed_audits)} if self.failed_audits else {}
        return {"verdict": self.verdict, "exit_code": self.exit_code, "gates": [g.to_json() for g in self.gates], **failed}


def judge(
    gates: Sequence[Gate],
    results: Sequence[AuditResult],
    *,
    allow_failed: bool = False,
    against: Callable[[Gate], GateVerdict] | None = None,
) -> Verdict:
    """Hold every gate against the measures of all audits, and gates on another run against that run.

    A gate passes only when it is sure to: its interval lies within the threshold. It fails when the interval lies wholly beyond.
    Between, and where the measure is undefined, missing or its audit failed, the evidence is insufficient. So it is where any
    audit failed, unless `allow_failed`.

    Args:
        gates: The gates.
        results: What the audits found.
        allow_failed: Whether a failed audit may stand beside a pass.
        against: Holds a gate with `no_worse_than` against its baseline run; needed only where there is such a gate.

    Raises:
        ExperimentError: A gate asks for the wrong direction of a measure, which only the run could tell.
    """
    for gate in gates:
        _check_direction(gate, results)
    verdicts = tuple(_judge(gate, results) if gate.no_worse_than is None or against is None else against(gate) for gate in gates)
    failed = () if allow_failed else tuple(result.audit for result in results if result.error)
    words: list[VerdictWord] = [v.verdict for v in verdicts]
    if failed:
        words.append("insufficient evidence")
    return Verdict(verdict=worst(words), gates=verdicts, failed_audits=failed)


def worst(verdicts: Sequence[VerdictWord]) -> VerdictWord:
    """Return the verdict a reader must hear first: fail, then insufficient evidence, then pass."""
    return max(verdicts, key=_SEVERITY.__getitem__, default="not applicable")


def _check_direction(gate: Gate, results: Sequence[AuditResult]) -> None:
    if gate.no_worse_than is not None:
        return
    for measure in (m for result in results for m in result.measures if m.name == gate.measure):
        wrong = misdirected(gate, measure.higher_is_better)
        if wrong is not None:
            raise ExperimentError(wrong[0], got=f"{gate.direction}: {gate.threshold:g}", where="gates", fix=wrong[1])


def _judge(gate: Gate, results: Sequence[AuditResult]) -> GateVerdict:
    compared = selected(gate, [m for result in results for m in result.measures])
    if not compared:
        return GateVerdict(gate=gate, verdict="insufficient evidence", reason=_absence(gate, results))
    single = [_compare(gate, measure) for measure in compared]
    decisive = max(single, key=lambda v: (v.verdict == worst([s.verdict for s in single]), _shortfall(gate, v.compared[0])))
    rest = tuple(m for v in single for m in v.compared if v is not decisive)
    return GateVerdict(
        gate=gate,
        verdict=decisive.verdict,
        reason=decisive.reason,
        compared=decisive.compared + rest,
        more_rows=decisive.more_rows,
    )


class Asked(Protocol):
    """What names a measure: a gate, or the objective of a study."""

    @property
    def measure(self) -> str:
        """`<audit>.<measure>`."""

    @property
    def by(self) -> tuple[str, ...] | None:
        """Sensitive features it is broken down by."""

    @property
    def group(self) -> Mapping[str, str] | None:
        """One group."""


def matches(pattern: str, name: str) -> bool:
    """Whether a measure is one that a gate names; `*` stands for any text, all else for itself.

    Example:
        >>> matches("fairness.*_difference", "fairness.accuracy_difference"), matches("a.recall[x]", "a.recallx")
        (True, False)
    """
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


def selected(gate: Asked, measures: Sequence[Measure]) -> list[Measure]:
    """Return the measures that a gate or an objective speaks of.

    Of each name these are the ones over all rows, or those of the features or the group that it names.
    """
    names = dict.fromkeys(m.name for m in measures if matches(gate.measure, m.name))
    return [found for name in names for found in _selected(gate, [m for m in measures if m.name == name])]


def _selected(gate: Asked, named: Sequence[Measure]) -> list[Measure]:
    if gate.group is not None:
        groups = [(m, dict(m.group)) for m in named if m.group is not None]
        wanted = printable_parts(gate.group)
        return [m for m, group in groups if group == wanted] or [m for m, group in groups if _same_group(group, wanted)]
    ungrouped = [m for m in named if m.group is None]
    if gate.by is not None:
        broken_down = [m for m in named if m.by is not None and set(m.by) == set(printable_parts(gate.by))]
        return [m for m in broken_down if m.group is None] or broken_down
    return [m for m in ungrouped if m.by is None] or ungrouped or list(named)


def _same_group(measured: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return set(measured) == set(wanted) and all(as_known(wanted[name], [group]) == group for name, group in measured.items())


def _absence(gate: Gate, results: Sequence[AuditResult]) -> str:
    audit = gate.measure.partition(".")[0]
    for result in results:
        if result.audit == audit and result.error:
            return f"the audit '{audit}' failed: {result.error}"
        if result.audit == audit and result.not_applicable:
            return f"the audit '{audit}' does not apply: {result.not_applicable}"
    where = f" by {', '.join(gate.by)}" if gate.by else f" for {gate.group}" if gate.group else ""
    return f"no audit of this run measured {gate.measure}{where}"


def _compare(gate: Gate, measure: Measure) -> GateVerdict:
    if measure.value is not None and measure.not_judged is not None:
        reason = f"no verdict is given: {measure.not_judged}"
        return GateVerdict(gate=gate, verdict="insufficient evidence", reason=reason, compared=(measure,))
    found = judge_estimate(measure, gate.threshold, gate.direction, on=gate.on)
    return GateVerdict(gate=gate, verdict=found.verdict, reason=found.reason, compared=(measure,), more_rows=found.more_rows)


def _shortfall(gate: Gate, measure: Measure) -> float:
    """How far a measure is on the wrong side; an undefined one counts as furthest."""
    if measure.value is None:
        return math.inf
    distance = gate.threshold - measure.value
    return distance if gate.direction == "at_least" else -distance
