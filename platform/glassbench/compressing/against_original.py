"""A compressed model held against its original: every measure of the run's audits of predictions, and who loses."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pandas as pd

from glassbench.compressing.candidate import Candidate, predictions_of
from glassbench.contracts.data import Split
from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.specs import AuditSpec
from glassbench.contracts.task import Predictions
from glassbench.errors import RunError
from glassbench.pipeline.examination import examine
from glassbench.pipeline.run_context import RunContext
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.report.compare import told
from glassbench.runs.artifacts import read_predictions
from glassbench.runs.comparison.differences import differences
from glassbench.runs.comparison.judged_run import JudgedRun
from glassbench.runs.comparison.paired_parts import paired_parts
from glassbench.runs.run_folder import RunFolder

_ASKED = {"predictions", "truth", "groups"}
"""What an audit may need so that it can be made of predictions alone."""


def against_original(candidate: Candidate, context: RunContext, results: list[AuditResult], tolerance: float) -> dict[str, Any]:
    """Return what a compressed model changed, plain JSON values.

    Args:
        candidate: The compressed model, which decided the run's test rows.
        context: The run.
        results: What the run's audits of predictions found.
        tolerance: The loss that counts as none.

    Returns:
        `parts` (who loses, what `paired_parts` found; None where truths are not known, with `no_parts`), and `differences`, what
        `report.compare` returns of two runs.
    """
    own = _examined(candidate, context)
    runs = [
        JudgedRun(path=path, results=found, registry=context.registry)
        for path, found in ((context.folder.path, results), (candidate.folder, own))
    ]
    return {"differences": told(differences(runs[0], runs[1])), **_parts(candidate, context, tolerance)}


def compared_audits(context: RunContext) -> list[str]:
    """Return the audits of a run that can be made of a compressed model's predictions and compared on the same rows."""
    specs = {name: cast(AuditSpec, choice.component.spec) for name, choice in context.plan.audits.items()}
    return [name for name, spec in specs.items() if spec.recomputed is not None and set(spec.needs) <= _ASKED]


def _parts(candidate: Candidate, context: RunContext, tolerance: float) -> Mapping[str, Any]:
    before: pd.DataFrame = read_predictions(context.folder.path)
    kind, schema = context.task.kind, context.schema
    try:
        found = paired_parts(
            before,
            predictions_of(candidate),
            kind=kind,
            schema=schema,
            features=schema.sensitive,
            tolerance=tolerance,
        )
    except RunError as error:
        return {"parts": None, "no_parts": error.problem}
    return {"parts": found.to_json(), "no_parts": None}


def _examined(candidate: Candidate, context: RunContext) -> list[AuditResult]:
    """Have the run's audits of predictions examine those of the compressed model."""
    names = compared_audits(context)
    plan = replace(context.plan, audits={name: context.plan.audits[name] for name in names})
    own = RunContext(RunFolder(candidate.folder), plan, context.registry, SilentObserver())
    source = cast(Split, context.data.test)
    own.__dict__ |= {
        "data": context.data,
        "model": None,
        "predictions": Predictions(frame=predictions_of(candidate), source=source),
    }
    return [examine(name, plan.audits[name], own) for name in names]
