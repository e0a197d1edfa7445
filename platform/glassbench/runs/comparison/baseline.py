"""Gates against a baseline run: a run passes where it is surely no worse than the margin allows (non-inferiority)."""

from collections.abc import Sequence
from dataclasses import dataclass

from glassbench.contracts.evidence import Measure
from glassbench.contracts.recomputed import MeasureKey
from glassbench.experiments.gates import Gate, GateVerdict, VerdictWord, matches, selected, worst
from glassbench.runs.comparison.differences import LEVEL, MeasureDifference, RunDifferences
from glassbench.runs.comparison.judged_run import key_of
from glassbench.stats.verdict import Direction, Judgement
from glassbench.stats.verdict import judge as judge_estimate


@dataclass(frozen=True, kw_only=True)
class _Held:
    """One measure held against the baseline: its difference, what it came to, and how far it is on the wrong side."""

    difference: Measure
    verdict: VerdictWord
    reason: str
    shortfall: float


def judge_against(gate: Gate, found: RunDifferences) -> GateVerdict:
    """Hold a gate's measures against those of its baseline run.

    A measure passes where the whole interval of its difference lies on the good side of the margin, and fails where it lies
    wholly beyond; among several measures the intervals of failing ones are widened for their number (Bonferroni), and every one
    must pass. Between, and where there is no interval, the evidence is insufficient.

    Args:
        gate: A gate with `no_worse_than`.
        found: The differences of the run from the baseline.
    """
    differences = {key_of(one.first): one for one in found.measures}
    wanted = _directed(gate, [one.first for one in found.measures])
    held = [_held(gate, differences[key], len(wanted)) for key in wanted]
    lost = _directed(gate, found.lacking[0])
    missing = sorted({key[0] for key in lost})
    if not held and not missing:
        return GateVerdict(gate=gate, verdict="insufficient evidence", reason=_nothing(gate, found))
    words = [one.verdict for one in held] + (["insufficient evidence"] if missing else [])
    verdict = worst(words)
    if not held or verdict not in {one.verdict for one in held}:
        reason = f"this run does not measure what the baseline run does: {', '.join(missing[:3])}"
        return GateVerdict(gate=gate, verdict=verdict, reason=reason, compared=tuple(one.difference for one in held))
    ordered = sorted(held, key=lambda one: (one.verdict != verdict, -one.shortfall))
    return GateVerdict(
        gate=gate,
        verdict=verdict,
        reason=_reason(ordered, found),
        compared=tuple(one.difference for one in ordered),
    )


def _directed(gate: Gate, measures: Sequence[Measure]) -> list[MeasureKey]:
    """Return the measures that a gate speaks of and that can be better or worse.

    Of several measures that `*` stands for, those without a direction, and those that are not defined, are none to be held.
    """
    chosen = selected(gate, measures)
    if "*" in gate.measure:
        chosen = [m for m in chosen if m.higher_is_better is not None and m.value is not None]
    return [key_of(measure) for measure in chosen]


def _held(gate: Gate, one: MeasureDifference, together: int) -> _Held:
    assert gate.margin is not None
    plain, higher = one.measure(), one.higher_is_better
    if higher is None:
        return _Held(difference=plain, verdict="insufficient evidence", reason="the measure has no good direction", shortfall=0.0)
    if plain.not_judged is not None:
        reason = f"no verdict is given: {plain.not_judged}"
        return _Held(difference=plain, verdict="insufficient evidence", reason=reason, shortfall=0.0)
    direction: Direction = "at_least" if higher else "at_most"
    limit = -gate.margin if higher else gate.margin
    told = judge_estimate(plain, limit, direction)
    if told.verdict == "fail" and together > 1:
        told = judge_estimate(one.measure(1 - (1 - LEVEL) / together), limit, direction)
    shortfall = float("inf") if plain.value is None else (limit - plain.value) * (1 if higher else -1)
    return _Held(difference=plain, verdict=told.verdict, reason=_words(told, one), shortfall=shortfall)


def _words(told: Judgement, one: MeasureDifference) -> str:
    if one.contrast is None:
        return f"the difference has no interval: {one.reason}"
    said = {
        "pass": "the whole interval of the difference is within the margin",
        "fail": "the whole interval of the difference is beyond the margin",
        "insufficient evidence": "the interval of the difference reaches across the margin",
    }
    return said[told.verdict]


def _reason(ordered: Sequence[_Held], found: RunDifferences) -> str:
    first = ordered[0]
    count = sum(one.verdict == first.verdict for one in ordered)
    many = f" ({count} of {len(ordered)} measures, {first.difference.name} the furthest)" if len(ordered) > 1 else ""
    paired = "row by row" if found.rows.kind == "same" else f"not paired: {found.rows.words}"
    return f"{first.reason}{many}; {paired}"


def _nothing(gate: Gate, found: RunDifferences) -> str:
    only_here = [m for m in found.lacking[1] if matches(gate.measure, m.name)]
    if only_here:
        return f"the baseline run does not measure {only_here[0].name}"
    return f"neither run measures {gate.measure} with a good direction"
