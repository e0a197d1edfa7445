"""What a person reads beside an exported model: the run it came from, its figures, and how rows are given to it."""

from collections.abc import Mapping
from typing import Any

from glassbench.contracts.evidence import AuditResult
from glassbench.export.agreement import Agreement
from glassbench.export.parts import Parts
from glassbench.printable import one_line

CARD = "MODEL_CARD.md"
_WRITTEN = "audits/model-card/model_card.md"
_SHOWN = 60


def card(parts: Parts, agreed: Agreement, use: str) -> str:
    """Return the card as Markdown: how to use the export, and the run's own model card or, where it has none, its figures.

    Args:
        parts: What was exported.
        agreed: How it was held against the run.
        use: How rows are given to it, Markdown.
    """
    run = parts.run
    own = run.folder / _WRITTEN
    model = own.read_text(encoding="utf-8") if own.is_file() else _figures(parts)
    head, body = ("", model) if not model.startswith("---\n") else _split(model)
    difference = "no digit" if agreed.largest_difference == 0 else f"{agreed.largest_difference:.1g} at most"
    held = (
        f"Exported from the run `{one_line(run.folder.name)}`. On {agreed.rows:,} made rows, with missing and unseen values "
        f"where rows can have them, its numbers differ from those of `glassbench predict` by {difference}."
    )
    return f"{head}{body.rstrip()}\n\n## Using the exported model\n\n{held}\n\n{use.rstrip()}\n\n{_inputs(parts)}".rstrip() + "\n"


def _split(text: str) -> tuple[str, str]:
    """Return the metadata at a card's head, and the rest."""
    end = text.index("\n---\n", 4) + len("\n---\n")
    return text[:end], text[end:]


def _figures(parts: Parts) -> str:
    run, schema = parts.run, parts.schema
    verdict = run.verdict if (run.folder / "verdict.json").is_file() else "not judged"
    lines = [
        f"# Model card for {_escaped(run.folder.name)}",
        f"Predicts {_escaped(schema.target.name)} for each {_escaped(schema.unit)}. Gates of the run: {verdict}.",
    ]
    audits: list[AuditResult] = run.audits if (run.folder / "verdict.json").is_file() else []
    rows = [
        f"| {_named(measure.name)} | {measure.value:.4g} | {_interval(measure.low, measure.high)} |"
        for result in audits
        if result.audit == "performance"
        for measure in result.measures
        if measure.value is not None and measure.group is None
    ]
    if rows:
        lines.append("\n".join(["| metric | value | 95 % interval |", "|---|---|---|", *rows]))
    return "\n\n".join(lines) + "\n"


def _named(measure: str) -> str:
    return _escaped(measure.removeprefix("performance.").replace("_", " "))


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.4g} to {high:.4g}"


def _inputs(parts: Parts) -> str:
    """Return the columns of a table that rows must have."""
    if not parts.tabular:
        return ""
    columns = parts.preprocessing["columns"]
    lines = [f"| {_escaped(column['name'])} | {_escaped(_described(column))} |" for column in columns[:_SHOWN]]
    more = [f"| ... | and {len(columns) - _SHOWN} more columns, see preprocessing.json |"] if len(columns) > _SHOWN else []
    return "\n".join(["| column | training rows held |", "|---|---|", *lines, *more])


def _described(column: Mapping[str, Any]) -> str:
    if column["kind"] == "number":
        gaps = ", some missing" if column["indicator"] else ""
        return f"numbers from {column['low']:.6g} to {column['high']:.6g}{gaps}"
    names = column["categories"]
    return f"{len(names)} categories: {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}"


def _escaped(text: str) -> str:
    return one_line(text).replace("|", "\\|").replace("<", "&lt;")
