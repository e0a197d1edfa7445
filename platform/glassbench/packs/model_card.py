"""A model card in the Hugging Face format, from what a run measured."""

from collections.abc import Sequence
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from glassbench.contracts.evidence import AuditResult, Measure
from glassbench.contracts.schema import Schema
from glassbench.printable import one_line
from glassbench.report.numbers import measured, number

_KINDS = {
    ("table", "class"): "tabular-classification",
    ("table", "value"): "tabular-regression",
    ("image", "class"): "image-classification",
    ("text", "class"): "text-classification",
    ("text", "token"): "text-generation",
    ("text", "sequence"): "translation",
    ("audio", "class"): "audio-classification",
    ("series", "value"): "time-series-forecasting",
}
_MOST_METRICS = 40


def model_card(name: str, schema: Schema, results: Sequence[AuditResult], experiment: dict[str, Any]) -> str:
    """Return a card as Markdown with metadata that the hub reads.

    Args:
        name: What the experiment is called.
        schema: What rows are.
        results: What the audits found.
        experiment: The resolved experiment.
    """
    about = experiment.get("about") or {}
    task = _KINDS.get((schema.modality, schema.target.kind), "other")
    overall = [m for r in results for m in r.measures if m.value is not None and m.by is None and m.group is None]
    data = ModelCardData(
        model_name=one_line(name), tags=["glassbench"], pipeline_tag=task,
        eval_results=[_evaluated(task, _component(experiment, "dataset"), m) for m in overall[:_MOST_METRICS]] or None,
    )  # fmt: skip
    lines = [f"---\n{data.to_yaml()}\n---", f"# Model card for {_plain(name)}", "## Model details"]
    lines.append(
        f"Predicts {_plain(schema.target.name)} for each {_plain(schema.unit)}; model `{_component(experiment, 'model')}`."
    )
    for heading, key in (("## Uses", "purpose"), ("## Developed by", "owner"), ("## Limits", "limits")):
        lines += [heading, _plain(str(about.get(key) or "Not provided."))]
    lines += ["## Evaluation", "On held-out rows; values with their intervals.", _table(overall)]
    lines += ["## Bias, risks, and limitations", _sentences(results, ("concern", "unclear"))]
    lines += ["## What the audits found", _sentences(results, ("ok",))]
    return "\n\n".join(lines) + "\n"


def _component(experiment: dict[str, Any], role: str) -> str:
    used = experiment.get(role)
    return one_line(str(used.get("use", "unknown") if isinstance(used, dict) else used or "unknown"))


def _evaluated(task: str, data: str, measure: Measure) -> EvalResult:
    return EvalResult(
        task_type=task, dataset_type=data, dataset_name=data, metric_type=measure.name, metric_name=measure.name,
        metric_value=round(float(measure.value or 0.0), 6),
    )  # fmt: skip


def _table(measures: Sequence[Measure]) -> str:
    rows = [f"| `{m.name}` | {measured(m)} | {number(m.n)} |" for m in measures]
    return "\n".join(["| measure | value and interval | n |", "|---|---|---|", *rows])


def _sentences(results: Sequence[AuditResult], grades: Sequence[str]) -> str:
    found = [f"- {_plain(f.sentence)}" for r in results for f in r.findings if f.grade in grades]
    return "\n".join(found) or "Nothing was found."


def _plain(text: str) -> str:
    """Return text in which nothing is markup."""
    return one_line(text).replace("\\", "\\\\").replace("<", "&lt;").replace("|", "\\|").replace("`", "\\`")
