"""Which gap is to be mended, and by which figure mitigations of it are judged, on measures made by hand."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.metric import Metric
from glassbench.mitigating.mitigate import _headline, _study
from glassbench.mitigating.proposals import worst_gap

A, B, C = (f"fairness.{name}_difference" for name in "abc")


def gap(name: str, by: tuple[str, ...], value: float, low: float | None) -> Measure:
    return Measure(name=name, value=value, low=low, high=None if low is None else value + 0.1, by=by)


def result(*measures: Measure, concern: tuple[str, ...] = ()) -> AuditResult:
    findings = (Finding(sentence=".", grade="concern", measures=concern), Finding(sentence=".", grade="ok", measures=(A, B, C)))
    return AuditResult(audit="fairness", method=Method(summary="."), measures=measures, findings=findings)


def failing(name: str, *by: str) -> dict[str, Any]:
    return {"verdict": "fail", "compared": [{"name": name, "by": list(by)}]}


@pytest.mark.parametrize(
    ("measures", "concern", "gates", "chosen"),
    [
        # The interval that lies highest, and not the largest value.
        ([gap(A, ("sex",), 0.9, 0.1), gap(B, ("sex",), 0.5, 0.2)], (), [], B),
        # Of equal intervals the larger value; one without an interval comes last.
        ([gap(A, ("sex",), 0.4, 0.2), gap(B, ("sex",), 0.5, 0.2), gap(C, ("sex",), 0.9, None)], (), [], B),
        # Groups of one feature before those of several.
        ([gap(A, ("sex", "age"), 0.9, 0.8), gap(B, ("sex",), 0.5, 0.2)], (), [], B),
        # A concern before a higher interval, and what fails a gate before a concern.
        ([gap(A, ("sex",), 0.9, 0.8), gap(B, ("sex",), 0.5, 0.2)], (B,), [], B),
        ([gap(A, ("sex",), 0.9, 0.8), gap(B, ("sex",), 0.5, 0.2), gap(C, ("sex",), 0.3, 0.1)], (B,), [failing(C, "sex")], C),
        # A gate on other features fails another gap.
        ([gap(A, ("sex",), 0.9, 0.8), gap(B, ("sex",), 0.5, 0.2)], (), [failing(B, "age")], A),
    ],
)
def test_the_gravest_gap_is_chosen(measures, concern, gates, chosen):
    assert worst_gap([result(*measures, concern=concern)], gates).name == chosen
    assert worst_gap([result(*reversed(measures), concern=concern)], gates).name == chosen


def test_groups_themselves_and_undefined_gaps_are_not_chosen():
    whole = gap(A, ("sex",), 0.2, 0.1)
    undefined = Measure(name=B, value=None, undefined="no rows", by=("sex",))
    others = (undefined, replace(whole, name=C, group={"sex": "f"}, value=0.9, low=0.8, high=1.0))
    ratio = gap("fairness.a_ratio", ("sex",), 0.9, 0.8)
    assert worst_gap([result(whole, *others, ratio)]) is whole


METRIC = Metric(name="loss", compute=lambda *_: None, higher_is_better=False)  # type: ignore[arg-type,return-value]


def context(*results: AuditResult) -> Any:
    return SimpleNamespace(folder=SimpleNamespace(results=lambda: results), plan=SimpleNamespace(name="loans", seed=4))


def test_the_headline_is_of_all_rows_and_of_the_audit_that_gives_it_an_interval():
    plain = Measure(name="learning.loss", value=0.3)
    sure = Measure(name="performance.loss", value=0.3, low=0.2, high=0.4)
    group = Measure(name="fairness.loss", value=0.1, low=0.0, high=0.2, by=("sex",), group={"sex": "f"})
    by = Measure(name="errors.loss", value=0.1, low=0.0, high=0.2, by=("sex",))
    assert _headline(context(result(group, by, plain, sure)), METRIC) == "performance.loss"
    assert _headline(context(result(plain)), METRIC) == "learning.loss"
    assert _headline(context(result(group, by)), METRIC) is None
    assert _headline(context(result(replace(sure, name="performance.log_loss"))), METRIC) is None


@pytest.mark.parametrize(("higher", "goal"), [(True, "maximize"), (False, "minimize")])
def test_mitigations_are_to_narrow_the_gap_and_to_better_the_headline(higher, goal, monkeypatch):
    monkeypatch.setitem(_study.__globals__, "unmitigated", lambda _: {"name": "loans"})
    proposal: Any = SimpleNamespace(use={"use": "reweighing"})
    asked = _study(
        context(), gap(A, ("sex",), 0.2, 0.1), "performance.loss", replace(METRIC, higher_is_better=higher), [proposal]
    )
    assert asked["objectives"] == [
        {"measure": A, "by": ["sex"], "goal": "minimize"},
        {"measure": "performance.loss", "goal": goal},
    ]
    assert asked["vary"] == {"seeds": [4], "grid": {"mitigations": [[], [{"use": "reweighing"}]]}}
    assert len(_study(context(), gap(A, ("sex",), 0.2, 0.1), None, METRIC, [proposal])["objectives"]) == 1
