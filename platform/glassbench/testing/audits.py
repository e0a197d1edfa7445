"""What every audit promises."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from glassbench.evidence import AuditResult, TextFile
from glassbench.settings import settings_model
from glassbench.subject import Subject
from glassbench.testing.fixtures import toy_subject


def check_audit(
    function: Callable[..., Any], name: str, *, subjects: Sequence[Subject] = (), deterministic: bool = True, **settings: Any
) -> None:
    """Check that an audit keeps its promises.

    Args:
        function: The component, `(subject, *, settings...)`.
        name: Its name.
        subjects: What to examine; without them, toy subjects with classes and with values.
        deterministic: What its spec says; figures of an audit that is not may differ between two calls, what it measures may not.
        settings: Settings to call it with.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    settings_model(function)
    for subject in subjects or (toy_subject(), toy_subject(classes=3), toy_subject("value")):
        before = _state(subject)
        result = function(subject, **settings)
        assert isinstance(result, AuditResult), f"an audit returns an AuditResult, got {type(result).__name__}"
        _check_result(result, name)
        assert _same(before, _state(subject)), "an audit must leave the subject as it was"
        again = replace(function(subject, **settings), seconds=result.seconds)
        if deterministic:
            assert _text(again) == _text(result), "the same subject must give the same result"
        assert _outline(again) == _outline(result), "the same subject must give the same measures, tables and charts"


def _check_result(result: AuditResult, name: str) -> None:
    stray = [m.name for m in result.measures if not m.name.startswith(f"{name}.")]
    assert not stray, f"measures must be named '{name}.<measure>', got {stray[:1]}"
    kept = replace(result, files=tuple(TextFile(name=file.name) for file in result.files))
    assert AuditResult.from_json(json.loads(_text(result))) == kept, "a result must survive JSON"
    assert result.method.summary, "a result says how it was measured"
    known = {m.name for m in result.measures}
    unknown = [m for f in result.findings for m in f.measures if m not in known]
    assert not unknown, f"a finding must rest on the result's own measures, got {unknown[:1]}"
    for measure in result.measures:
        if measure.low is not None and measure.high is not None:
            assert measure.low <= measure.high, f"{measure.name}: the interval is upside down"


def _outline(result: AuditResult) -> tuple[Any, ...]:
    measures = [(m.name, m.by, m.group, m.unit, m.value is None) for m in result.measures]
    shown = [(t.title, t.columns, len(t.rows)) for t in result.tables], [(c.kind, c.title, len(c.rows)) for c in result.charts]
    return measures, shown, result.not_applicable


def _text(result: AuditResult) -> str:
    return json.dumps(result.to_json(), allow_nan=False)


def _state(subject: Subject) -> tuple[Any, ...]:
    tensors, hooks, training = {}, 0, False
    if isinstance(subject.model, nn.Module):
        tensors = {k: v.clone() for k, v in subject.model.state_dict().items() if isinstance(v, torch.Tensor)}
        hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in subject.model.modules())
        training = subject.model.training
    return tensors, hooks, training, subject.predictions.frame.copy()


def _same(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    weights = all(torch.equal(before[0][name], tensor) for name, tensor in after[0].items())
    return bool(weights and before[1:3] == after[1:3] and before[3].equals(after[3]))
