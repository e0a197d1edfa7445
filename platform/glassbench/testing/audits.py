"""What every audit promises."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from glassbench.contracts.evidence import AuditResult, TextFile
from glassbench.contracts.evidence_form import misnamed
from glassbench.contracts.subject import Subject
from glassbench.experiments.settings import settings_model
from glassbench.pipeline.examination import traces
from glassbench.system.process_state import put_back
from glassbench.testing.fixtures import toy_subject


def check_audit(
    function: Callable[..., Any],
    name: str,
    *,
    subjects: Sequence[Subject] = (),
    deterministic: bool = True,
    measures: Sequence[str] | None = None,
    **settings: Any,
) -> None:
    """Check that an audit keeps its promises.

    Args:
        function: The component, `(subject, *, settings...)`.
        name: Its name.
        subjects: What to examine; without them, toy subjects with classes and with values.
        deterministic: What its spec says; figures of an audit that is not may differ between two calls, what it measures may not.
        measures: What its spec says of the names of its measures (`AuditSpec.measures`); None where it says nothing.
        settings: Settings to call it with.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    settings_model(function)
    for subject in subjects or (toy_subject(), toy_subject(classes=3), toy_subject("value")):
        before = _state(subject)
        with put_back() as changed:
            torch.manual_seed(0)
            np.random.seed(0)
            result = function(subject, **settings)
        assert not changed, f"an audit must leave the process as it was; it changed {', '.join(changed)}"
        assert isinstance(result, AuditResult), f"an audit returns an AuditResult, got {type(result).__name__}"
        _check_result(result, name)
        if measures is not None:
            _check_declared(result, name, measures, subject)
        assert _same(before, _state(subject)), "an audit must leave the subject as it was"
        torch.manual_seed(1)  # an audit draws from `subject.generator`, not from a generator that all share
        np.random.seed(1)
        again = replace(function(subject, **settings), seconds=result.seconds)
        if deterministic:
            assert _text(again) == _text(result), "the same subject must give the same result"
        assert _outline(again) == _outline(result), "the same subject must give the same measures, tables and charts"


def _check_result(result: AuditResult, name: str) -> None:
    said = misnamed(result, name)
    assert said is None, said
    kept = replace(result, files=tuple(TextFile(name=file.name) for file in result.files))
    assert AuditResult.from_json(json.loads(_text(result))) == kept, "a result must survive JSON"
    assert result.method.summary, "a result says how it was measured"
    known = {m.name for m in result.measures}
    unknown = [m for f in result.findings for m in f.measures if m not in known]
    assert not unknown, f"a finding must rest on the result's own measures, got {unknown[:1]}"
    for measure in result.measures:
        if measure.low is not None and measure.high is not None:
            assert measure.low <= measure.high, f"{measure.name}: the interval is upside down"


def _check_declared(result: AuditResult, name: str, declared: Sequence[str], subject: Subject) -> None:
    metrics = [metric.name for metric in subject.task.metrics]
    known = {each.replace("{metric}", metric) for each in declared for metric in (metrics if "{metric}" in each else [""])}
    found = {m.name.removeprefix(f"{name}.").partition("[")[0] for m in result.measures}
    assert found <= known, f"measures that the spec does not name, so that no gate can be set on them: {sorted(found - known)}"


def _outline(result: AuditResult) -> tuple[Any, ...]:
    measures = [(m.name, m.by, m.group, m.unit, m.value is None) for m in result.measures]
    shown = [(t.title, t.columns, len(t.rows)) for t in result.tables], [(c.kind, c.title, len(c.rows)) for c in result.charts]
    return measures, shown, result.not_applicable


def _text(result: AuditResult) -> str:
    return json.dumps(result.to_json(), allow_nan=False)


def _state(subject: Subject) -> tuple[Any, ...]:
    gradients = [p.grad is None for p in subject.model.parameters()] if isinstance(subject.model, nn.Module) else []
    return traces(subject), gradients, subject.predictions.frame.copy()


def _same(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    return bool(before[:2] == after[:2] and before[2].equals(after[2]))
