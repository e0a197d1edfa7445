"""Written answers: how near they come to the truth, the best and the worst of them."""

from collections.abc import Iterator

import numpy as np

from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.predictions.outputs import AnswerOutput
from glassbench.contracts.subject import Subject

BINS, SHOWN, LONGEST = 20, 5, 240


def quality_chart(answers: AnswerOutput) -> Chart:
    """Return the histogram of the answers' quality."""
    quality = answers.quality
    assert quality is not None
    heights, edges = np.histogram(quality, bins=np.linspace(min(0.0, quality.min()), max(quality.max(), 1e-9), BINS + 1))
    low, middle, high = np.percentile(quality, [10, 50, 90])
    return Chart(
        kind="histogram",
        title="Quality of the answers",
        message=f"Half of the answers come to {middle:.3g} or more; a tenth lies below {low:.3g}, another above {high:.3g}.",
        rows=tuple(
            {"low": float(a), "high": float(b), "y": int(n)} for a, b, n in zip(edges[:-1], edges[1:], heights, strict=True)
        ),
        x_title="quality (more is nearer to the truth)",
        y_title="answers",
        section="Answers",
    )


def answer_tables(subject: Subject, answers: AnswerOutput) -> Iterator[Table]:
    """Yield the worst answers and the best, each beside its source and the truth; of equal ones, some drawn at random."""
    assert answers.quality is not None
    ties = subject.generator("performance.answers").random(len(answers.quality))
    order = np.lexsort((ties, answers.quality))
    yield _table(subject, answers, order[:SHOWN], "The worst answers")
    yield _table(subject, answers, order[::-1][:SHOWN], "The best answers")


def _table(subject: Subject, answers: AnswerOutput, positions: np.ndarray, title: str) -> Table:
    assert answers.quality is not None
    assert answers.actual is not None
    names = subject.predictions.frame["row"].iloc[positions].tolist()
    written, actual = (column.iloc[positions].tolist() for column in (answers.written, answers.actual))
    rows = zip(names, _sources(subject, positions), written, actual, answers.quality[positions], strict=True)
    return Table(
        title=title,
        columns=(subject.schema.unit, "source", "answer", "truth", "quality"),
        rows=tuple((*map(_short, said), quality) for *said, quality in rows),
        note="Nearness to one true answer; another answer may be right as well.",
    )


def _sources(subject: Subject, positions: np.ndarray) -> list[str]:
    source, facts = subject.predictions.source, subject.schema.facts_of(TextFacts)
    column = None if facts is None else facts.column
    if source is None or source.raw is None or column is None or column not in source.raw:
        return [""] * len(positions)
    return source.raw[column].iloc[positions].astype(str).tolist()


def _short(text: object) -> str:
    written = str(text)
    return written if len(written) <= LONGEST else f"{written[: LONGEST - 1]}…"
