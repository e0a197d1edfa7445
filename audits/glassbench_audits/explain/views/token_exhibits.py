"""Texts in the explanation: shaded words in reading order, and the words that move decisions most over all rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glassbench.contracts.evidence import Finding
from glassbench.contracts.exhibits import SHARE_OF_INFLUENCE, Chart, Picture, Table
from glassbench.contracts.subject import Subject
from glassbench.contracts.text_pieces import RowDrawer
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.cases import ExplainedRow
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.importance import Importance
from glassbench_audits.attribution.sampled import Sampled
from glassbench_audits.attribution.token_words import Word, piece_of, shaded, words_of
from glassbench_audits.attribution.values import sides, spoken_class
from glassbench_audits.explain.views.field_exhibits import field_influence
from glassbench_audits.explain.views.token_attention import agreement, attention_chart, attention_of
from glassbench_audits.explain.views.wording import output_words

SHOWN, DRAWN, NAMED = 30, 15, 3
Uses = Mapping[str, Sequence[float]]
"""The contribution of each use of a word."""


def text_case(subject: Subject, explainer: Explainer, position: int, explained_row: ExplainedRow) -> dict[str, Any]:
    """Return one text shaded word by word, and where the model's attention looks where it pools by attention."""
    if explained_row.row.inputs.ndim != 2 or explained_row.attributions.shape != explained_row.row.inputs.shape[1:]:
        return {}
    words = words_of(subject, [position], explained_row.row.inputs)[0]
    attention = attention_of(explainer.explained, explained_row.row)
    charts = () if attention is None or not words else (attention_chart(words, explained_row.attributions, attention[0]),)
    pictures = _drawn(subject, position, explained_row.attributions)
    return {"tokens": shaded(words, explained_row.attributions), "charts": charts, "pictures": pictures}


def _drawn(subject: Subject, position: int, attributions: np.ndarray) -> tuple[Picture, ...]:
    """Return what a text stands for with the contribution of each part, where the encoder can draw it."""
    source = subject.predictions.source
    if not isinstance(subject.encoder, RowDrawer) or source is None or source.raw is None:
        return ()
    png = subject.encoder.drawn(source.raw.iloc[[position]], attributions)
    if png is None:
        return ()
    unit = subject.schema.unit
    message = f"Blue parts raise {output_words(subject)}, orange ones lower it; the stronger the colour, the more."
    return (Picture(title=f"What the parts of the {unit} contribute", message=message, png=png),)


def text_overview(subject: Subject, explainer: Explainer, picture: Importance, sampled: Sampled) -> dict[str, Any]:
    """Return the words that move decisions most over all rows explained, as a table, a chart and a finding."""
    rows, attributions = sampled.rows, sampled.attributions
    if rows.inputs.ndim != 2 or attributions.shape != rows.inputs.shape or not attributions.any():
        return {}
    texts = words_of(subject, sampled.positions.tolist(), rows.inputs)
    side = sides(subject, sampled.positions)
    signed = attributions if side is None else attributions * side[:, None]
    uses = _uses(subject, texts, signed)
    towards = spoken_class(subject) if side is not None else None
    order = sorted(uses, key=lambda word: -float(np.abs(uses[word]).sum()))
    fields = field_influence(subject, sampled)
    return {
        "tables": (*fields.tables, _table(subject, uses, order, towards, len(texts)), *_attention_table(explainer, sampled)),
        "charts": (*fields.charts, _chart(subject, uses, order, towards)),
        "findings": (*fields.findings, _finding(subject, uses, order, towards)),
    }


def _uses(subject: Subject, texts: Sequence[Sequence[Word]], attributions: np.ndarray) -> Uses:
    """Return the contributions of each word; capitals make no other word, but another token: `C` and `c` are other atoms."""
    uses: defaultdict[str, list[float]] = defaultdict(list)
    language = piece_of(subject.schema) == "word"
    for words, row in zip(texts, attributions, strict=True):
        for word in words:
            if (held := word.summed(row)) is not None:
                uses[word.plain if language else word.shown].append(held)
    return uses


def piece_words(subject: Subject) -> str:
    """Return what a reader calls the pieces of a row, in the plural."""
    piece = piece_of(subject.schema)
    return f"{piece[:-1]}ies" if piece.endswith("y") else f"{piece}s"


def _direction(subject: Subject, towards: str | None) -> str:
    """Return in words what positive contributions push towards."""
    if towards is not None:
        return f"'{towards}'"
    return "the predicted one" if subject.value_output is None else f"higher values of {subject.schema.target.name}"


def _title(subject: Subject) -> str:
    return f"{piece_words(subject).capitalize()} that move the decisions most"


def _summed(subject: Subject) -> str:
    return "the pieces of a word are summed" if piece_of(subject.schema) == "word" else "each is one token of the row"


def _share(uses: Uses, word: str) -> float:
    total = sum(float(np.abs(values).sum()) for values in uses.values())
    return float(np.abs(uses[word]).sum()) / total


def _table(subject: Subject, uses: Uses, order: Sequence[str], towards: str | None, n: int) -> Table:
    direction = _direction(subject, towards)
    rows = tuple(
        (word, len(uses[word]), float(np.abs(uses[word]).mean()), float(np.mean(uses[word])), _share(uses, word))
        for word in order[:SHOWN]
    )
    more = f" {len(order) - SHOWN} further {piece_words(subject)} are not listed." if len(order) > SHOWN else ""
    return Table(
        title=_title(subject),
        columns=(
            piece_of(subject.schema),
            "uses",
            "mean |contribution|",
            f"mean contribution towards {direction}",
            SHARE_OF_INFLUENCE,
        ),
        rows=rows,
        note=f"Contributions to {output_words(subject)}, over {n} rows; {_summed(subject)}.{more}",
    )


def _chart(subject: Subject, uses: Uses, order: Sequence[str], towards: str | None) -> Chart:
    drawn = [word for word in order[:DRAWN] if np.any(uses[word])]
    message = f"Right pushes towards {_direction(subject, towards)}"
    return Chart(
        kind="bars",
        title=_title(subject),
        message=f"{message}, left away from it: the mean over all uses. Those with the largest share of all influence.",
        rows=tuple(
            {"y": word, "x": float(np.mean(uses[word])), "size": f"{in_percent(_share(uses, word))} of all"} for word in drawn
        ),
        x_title=f"mean contribution to {output_words(subject)}",
        y_title=piece_of(subject.schema),
    )


def _finding(subject: Subject, uses: Uses, order: Sequence[str], towards: str | None) -> Finding:
    listed = ", ".join(f"“{word}” ({in_percent(_share(uses, word))})" for word in order[:NAMED])
    more = "" if towards is None else _pushes(uses, order[:NAMED], towards)
    text = f"Of {len(uses)} {piece_words(subject)}, those with the largest share of all influence are {listed}{more}."
    return Finding(sentence=text, grade="ok", weight=0.55)


def _pushes(uses: Uses, words: Sequence[str], towards: str) -> str:
    up = [f"“{word}”" for word in words if np.mean(uses[word]) > 0]
    return f"; towards '{towards}' push {' and '.join(up)}" if up else f"; all push away from '{towards}'"


def _attention_table(explainer: Explainer, sampled: Sampled) -> tuple[Table, ...]:
    attention = attention_of(explainer.explained, sampled.rows)
    if attention is None:
        return ()
    value = agreement(sampled.attributions, attention)
    row = (value if np.isfinite(value) else None, len(sampled.rows))
    return (
        Table(
            title="Attention beside attribution",
            columns=("mean rank correlation of attention and |attribution|", "rows"),
            rows=(row,),
            note="Attention is no attribution (Jain and Wallace 2019): it says where pooling looks, not what moved a decision.",
        ),
    )
