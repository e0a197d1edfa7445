"""Rows that tell of users and items: how much each field and the history move decisions, over all rows."""

from dataclasses import dataclass

import numpy as np

from glassbench.contracts.evidence import Finding
from glassbench.contracts.exhibits import SHARE_OF_INFLUENCE, Chart, Table
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.sampled import Sampled
from glassbench_audits.explain.views.wording import output_words

HISTORY = "history"
_TITLE = "Influence of the user, the item and the history"


@dataclass(frozen=True, eq=False, kw_only=True)
class FieldInfluence:
    """What the fields of rows contribute, as evidence; nothing where rows have no fields."""

    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    findings: tuple[Finding, ...] = ()


def field_influence(subject: Subject, sampled: Sampled) -> FieldInfluence:
    """Return how much each field and the whole history move decisions, from attributions per token `(n, l)`.

    Contributions of a row's history are summed. Of values, what a field contributes to every row alike is taken off: it tells no
    row from another. Of rankings each row speaks of another item, and contributions count as they are.
    """
    facts = subject.schema.facts_of(TextFacts)
    if facts is None or facts.catalogue is None:
        return FieldInfluence()
    names = (*facts.catalogue.user_fields, *facts.catalogue.item_fields)
    attributions, read = sampled.attributions, (sampled.rows.inputs != facts.padding).numpy()
    past = attributions[:, len(names) :].sum(axis=1, keepdims=True)
    each = np.concatenate([attributions[:, : len(names)], past], axis=1)
    apart = each - each.mean(axis=0) if subject.value_output is not None else each
    held = dict(zip((*names, HISTORY), np.abs(apart).mean(axis=0).tolist(), strict=True))
    total = sum(held.values()) or 1.0
    order = sorted(held, key=lambda name: -held[name])
    what = "mean |contribution|" if apart is each else "mean |contribution - its mean|"
    length = float(read[:, len(names) :].sum(axis=1).mean())
    note = (
        f"Contributions to {output_words(subject)}, over {len(attributions)} rows; a history has {length:.0f} items on average."
    )
    return FieldInfluence(
        tables=(
            Table(
                title=_TITLE,
                columns=("field", what, SHARE_OF_INFLUENCE),
                rows=tuple((name, held[name], held[name] / total) for name in order),
                note=note,
            ),
        ),
        charts=(
            Chart(
                kind="bars",
                title=_TITLE,
                message=f"The {what} of each field, and of all items of the history together.",
                rows=tuple({"y": name, "x": held[name]} for name in order),
                x_title=f"{what} to {output_words(subject)}",
                y_title="field",
            ),
        ),
        findings=(_finding(held, total, order),),
    )


def _finding(held: dict[str, float], total: float, order: list[str]) -> Finding:
    listed = ", ".join(f"{name} {in_percent(held[name] / total)}" for name in order)
    return Finding(sentence=f"Shares of all influence: {listed}.", grade="ok", weight=0.6, chart=_TITLE)
