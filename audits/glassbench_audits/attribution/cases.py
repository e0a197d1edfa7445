"""Single decisions shown in full."""

from dataclasses import dataclass

import numpy as np

from glassbench.contracts.exhibits import Case, Part
from glassbench.contracts.subject import Subject
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.feature_groups import FeatureGroups
from glassbench_audits.attribution.values import encoded_words, observed_words, words

MOST_PARTS = 30


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A row worth showing.

    Args:
        position: Its position among the predictions.
        title: Why it is shown.
    """

    position: int
    title: str


def choose_cases(subject: Subject, each: int) -> tuple[Chosen, ...]:
    """Return the rows to show, each once: those that the kind of prediction calls notable, up to `each` for every reason."""
    seen: set[int] = set()
    chosen: list[Chosen] = []
    for notable in subject.kind.notable_rows(subject.predictions.frame, subject.schema):
        fresh = [int(p) for p in notable.rows if int(p) not in seen][:each]
        seen.update(fresh)
        chosen += [Chosen(position=p, title=notable.title) for p in fresh]
    return tuple(chosen)


@dataclass(frozen=True, eq=False, kw_only=True)
class ExplainedRow:
    """What is known of one explained row.

    Args:
        row: The row as the model saw it, alone.
        attributions: Its attributions `(units,)`.
        elements: The same of single elements, shaped like the row or like the layer attributed to.
        output, reference: The explained output at the row and at the baseline; the reference None where a method has
            none.
    """

    row: Rows
    attributions: np.ndarray
    elements: np.ndarray
    output: float
    reference: float | None


def build_case(subject: Subject, feature_groups: FeatureGroups, chosen: Chosen, explained_row: ExplainedRow) -> Case:
    """Return one decision in a person's words and units."""
    record = subject.predictions.frame.iloc[chosen.position]
    truth = record.get("y_true")
    order = np.argsort(-np.abs(explained_row.attributions), kind="stable") if feature_groups.features else np.arange(0)
    parts = [_part(subject, feature_groups, chosen.position, explained_row, int(unit)) for unit in order]
    return Case(
        title=chosen.title,
        row=str(record["row"]),
        decision=subject.kind.said_with_certainty(subject.predictions.frame, chosen.position, subject.schema),
        truth=None if truth is None or truth != truth else subject.kind.said(truth, subject.schema),
        parts=_shortened(parts),
        note=_note(explained_row),
    )


def _part(subject: Subject, feature_groups: FeatureGroups, position: int, explained_row: ExplainedRow, unit: int) -> Part:
    feature = feature_groups.features[unit]
    source = subject.predictions.source
    value = words(feature, None if source is None else source.raw, position)
    if value is None and explained_row.row.inputs.ndim == 2 and feature.columns:
        seen = explained_row.row.inputs[0].double().numpy()
        value = observed_words(feature, seen) if subject.schema.layout.own_units else encoded_words(feature, seen)
    return Part(name=feature.name, value=value or "", contribution=float(explained_row.attributions[unit]))


def _shortened(parts: list[Part]) -> tuple[Part, ...]:
    if len(parts) <= MOST_PARTS:
        return tuple(parts)
    rest = parts[MOST_PARTS - 1 :]
    total = sum(part.contribution for part in rest)
    return (*parts[: MOST_PARTS - 1], Part(name=f"{len(rest)} further inputs", value="", contribution=total))


def _note(explained_row: ExplainedRow) -> str:
    text = f"The explained output is {explained_row.output:.4g} here"
    if explained_row.reference is None:
        return f"{text}."
    total = explained_row.attributions.sum()
    return f"{text} and {explained_row.reference:.4g} at the baseline; all contributions add up to {total:.4g}."
