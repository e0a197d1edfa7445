"""Written answers in the explanation: which words of the source drove each word of the answer."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from glassbench.contracts.exhibits import Chart
from glassbench.contracts.subject import Subject
from glassbench.contracts.text_pieces import AnswerReader
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.cases import ExplainedRow
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.token_words import Word, merged, words_of
from glassbench_audits.explain.views.token_exhibits import text_case

MOST_ACROSS, MOST_DOWN, MOST_LETTERED = 32, 32, 16
LONGEST = 24
"""Characters of a word that fit beside the matrix."""
FROM = 0.05
"""The smallest share written into its cell."""


def answer_case(subject: Subject, explainer: Explainer, position: int, explained_row: ExplainedRow) -> dict[str, Any]:
    """Return one source shaded word by word, and the matrix of its words and those of the answer."""
    shown = text_case(subject, explainer, position, explained_row)
    if not shown or explained_row.row.target_index is None or explained_row.row.target_index.ndim != 3:
        return shown
    source = words_of(subject, [position], explained_row.row.inputs)[0]
    tokens, matrix = source_target(explainer, explained_row.row)
    chart = matrix_chart(source, answer_words(subject, tokens), matrix)
    return {**shown, "charts": (*shown["charts"], *chart)}


def source_target(explainer: Explainer, row: Rows) -> tuple[list[int], np.ndarray]:
    """Return the tokens an answer is made of, and the attribution of each to the source's tokens, `(m, s)`.

    Each token's score is explained by itself, given the tokens before it, so that the rows of the matrix add up to the
    attribution of the whole answer.

    Args:
        explainer: What turns rows into attributions.
        row: A single row whose target indices `(1, m, k)` end in the token.
    """
    assert row.target_index is not None
    entries = row.target_index[0][row.target_index[0, :, 0] >= 0]
    many = len(entries)
    repeated = Rows(
        inputs=row.inputs.expand(many, -1),
        others=tuple(other.expand(many, *other.shape[1:]) for other in row.others),
        target_index=entries,
    )
    return entries[:, -1].tolist(), explainer.per_feature_group(repeated)


def answer_words(subject: Subject, tokens: Sequence[int]) -> list[Word]:
    """Return the words an answer's tokens make up; without an encoder that knows its pieces, each token by its name."""
    if isinstance(subject.encoder, AnswerReader):
        return merged(subject.encoder.answer_pieces(tokens))
    names = subject.schema.target.classes
    return [Word(text=names[token], positions=(place,)) for place, token in enumerate(tokens)]


def matrix_chart(source: Sequence[Word], answer: Sequence[Word], matrix: np.ndarray) -> tuple[Chart, ...]:
    """Return the matrix as a chart: across the source, down the answer, each row in shares of its absolute contributions.

    Args:
        source: Words of the source.
        answer: Words of the answer.
        matrix: Attributions per token `(m, s)`.
    """
    read = [word for word in source if word.positions]
    written = [word for word in answer if word.positions][:MOST_DOWN]
    if not read or not written:
        return ()
    held = np.array([[matrix[np.ix_(a.positions, s.positions)].sum() for s in read] for a in written])
    shares = np.abs(held) / np.maximum(np.abs(held).sum(axis=1, keepdims=True), 1e-12)
    kept = np.sort(np.argsort(-shares.sum(axis=0), kind="stable")[:MOST_ACROSS])
    across, down = _labels([read[i] for i in kept]), _labels(written)
    room = len(kept) <= MOST_LETTERED
    rows = tuple(
        {"x": across[k], "y": down[j], "color": round(float(shares[j, i]), 3), "size": _cell(float(shares[j, i])) if room else ""}
        for j in range(len(written))
        for k, i in enumerate(kept)
    )
    return (
        Chart(
            kind="heat",
            title="What drove each word of the answer",
            message=f"{_strongest(read, written, held, shares)}{_left_out(len(kept), len(read), len(written), len(answer))}",
            rows=rows,
            x_title="the source, in reading order",
            y_title="the answer",
        ),
    )


def _strongest(read: Sequence[Word], written: Sequence[Word], held: np.ndarray, shares: np.ndarray) -> str:
    j, i = np.unravel_index(int(np.abs(held).argmax()), held.shape)
    pair = f"“{read[int(i)].shown}” moved “{written[int(j)].shown}” most, with {in_percent(shares[j, i])} of its row"
    return f"Each row shares out what moved one word of the answer, either way, among the words of the source: {pair}."


def _cell(share: float) -> str:
    return in_percent(share) if share >= FROM else ""


def _left_out(across: int, read: int, down: int, written: int) -> str:
    few = [f"the {across} strongest of {read} words of the source"] if across < read else []
    few += [f"the first {down} of {written} words of the answer"] if down < written else []
    return f" Drawn are {' and '.join(few)}." if few else ""


def _labels(words: Sequence[Word]) -> list[str]:
    """Return a name for each word; from its second use on, a name is numbered."""
    seen: Counter[str] = Counter()
    names = []
    for text in (word.shown[:LONGEST] for word in words):
        seen[text] += 1
        names.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return names
