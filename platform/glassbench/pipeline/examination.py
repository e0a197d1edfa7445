"""One audit of a run: what it is given, what it may not change, and what becomes of its result."""

import json
import time
import traceback
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.evidence import AuditResult, Method, TextFile
from glassbench.contracts.evidence_form import misnamed, result_from_json
from glassbench.contracts.packed import Packed
from glassbench.contracts.specs import AuditSpec
from glassbench.contracts.subject import Subject
from glassbench.errors import FOREIGN, GlassbenchError, said
from glassbench.experiments.budget import within
from glassbench.experiments.choice import Choice
from glassbench.pipeline.building import seed_all
from glassbench.pipeline.run_context import RunContext
from glassbench.rows.expand_counts import MOST, expand_counts
from glassbench.rows.known_outcomes import with_known_outcomes
from glassbench.rows.survey_weights import saying_unweighted, unweighted, weighing
from glassbench.storage.home_paths import without_home
from glassbench.system.process_state import put_back


def examine(name: str, choice: Choice, context: RunContext, seconds: float | None = None) -> AuditResult:
    """Run one audit; what it cannot examine, and what goes wrong inside it, becomes part of its result.

    With `seconds`, it gets as many rows as it can examine in about that time.
    """
    started = time.perf_counter()
    spec, reason = cast(AuditSpec, choice.component.spec), context.plan.excluded.get(name)
    subject = weighing(context.subject())
    heavy = subject.predictions.sampling.survey and not spec.weighted
    subject = unweighted(subject) if heavy else subject
    subject = subject if spec.counted or reason else expand_counts(subject)
    subject = subject if spec.unknown_outcomes else with_known_outcomes(subject)
    if reads_results(choice):
        subject = replace(subject, results=_found_by_others(context), record=context.record())
    before = traces(subject)
    try:
        reason = reason or _unmet(subject, spec)
        run = choice.make if seconds is None or reads_results(choice) else partial(within, choice.make, seconds=seconds)
        result = _unable(reason) if reason else _alone(run, subject, name, context)
        if traces(subject) != before:
            raise RuntimeError("the audit changed the model or the data that every audit shares")
    except GlassbenchError as error:
        result = _failed(str(error))
    except FOREIGN as error:  # the plugin boundary: one audit's failure must not cost the others
        result = _failed(said(error))
    if traces(subject) != before:
        context.forget()
    result = saying_unweighted(result) if heavy else result
    if result.error:
        context.observer.warn(f"the audit '{name}' failed: {result.error}")
        context.folder.log("audit failed", audit=name, error=result.error)
    return AuditResult(**{**vars(result), "audit": name, "seconds": round(time.perf_counter() - started, 3)})


def _alone(run: Callable[[Subject], Any], subject: Subject, name: str, context: RunContext) -> AuditResult:
    """Run one audit, its global random generators seeded by its name; what it changes in the process is put back."""
    changed: list[str] = []
    try:
        with put_back() as changed:
            seed_all(int(subject.generator(name).integers(2**32)))
            return _checked(run(subject), name)
    finally:
        if changed:
            context.observer.warn(f"the audit '{name}' changed, and it was put back: {', '.join(changed)}")
            context.folder.log("state put back", audit=name, changed=changed)


def reads_results(choice: Choice) -> bool:
    """Return whether an audit reads what the others found."""
    return "results" in cast(AuditSpec, choice.component.spec).needs


def _found_by_others(context: RunContext) -> tuple[AuditResult, ...]:
    readers = {name for name, choice in context.plan.audits.items() if reads_results(choice)}
    return tuple(result for result in context.folder.results() if result.audit not in readers)


def _unmet(subject: Subject, spec: AuditSpec) -> str | None:
    """Return why an audit cannot examine a subject, or None."""
    if subject.predictions.frequency is not None and not spec.counted:
        return f"it looks at single rows, and counts of more than {MOST:,} stay counts"
    return subject.missing(spec.needs)


def traces(subject: Subject) -> tuple[Any, ...]:
    """Return what changes when an audit writes into the tensors or the model that every audit shares."""
    model = subject.model
    tensors = list(model.state_dict().values()) if model is not None else []
    for split in (subject.train, subject.predictions.source):
        if split is not None:
            packed = split.inputs.tensors().values() if isinstance(split.inputs, Packed) else ()
            inputs = split.inputs if isinstance(split.inputs, tuple) else packed
            tensors += [*inputs, *([split.target] if split.target is not None else [])]
    modules = list(model.modules()) if model is not None else []
    modes = [(m.training, len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in modules]
    learning = [p.requires_grad for p in model.parameters()] if model is not None else []
    return modes, learning, [_trace(tensor) for tensor in tensors if isinstance(tensor, Tensor)]


def _trace(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.shape, tensor.dtype, zlib.crc32(np.ascontiguousarray(_bytes(tensor)).data)


def _bytes(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy() if tensor.numel() else np.empty(0, np.uint8)


def _checked(result: Any, name: str) -> AuditResult:
    if not isinstance(result, AuditResult):
        raise TypeError(f"an audit returns an AuditResult, got {type(result).__name__}")
    if said := misnamed(result, name):
        raise ValueError(said)
    text = json.dumps(result.to_json(), allow_nan=False)
    result_from_json(json.loads(text))  # what cannot be written and read must fail here, where it costs this audit alone
    return result


def _unable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Not run."), not_applicable=reason)


def _failed(error: str) -> AuditResult:
    """Return the result of an audit that raised what is being handled, with the traceback as a file."""
    traced = TextFile(name="traceback.txt", text=without_home(traceback.format_exc()))
    return AuditResult(method=Method(summary="The audit stopped before it was done."), error=error, files=(traced,))
