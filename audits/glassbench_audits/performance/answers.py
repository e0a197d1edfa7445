"""Written answers: how near they come to the truth, the best and the worst of them."""

from collections.abc import Iterator

import numpy as np

from glassbench.contracts.evidence import Finding
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.predictions.outputs import AnswerOutput
from glassbench.contracts.subject import Subject

BINS, SHOWN, LONGEST, SPOKEN = 20, 5, 240, 80


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
    """Yield the worst answers and the best, each beside its source and the truth; of equal ones, some drawn at random.

    An answer that is the truth is none of the worst.
    """
    order = _ordered(subject, answers)
    wrong = _wrong(answers, order)
    if len(wrong):
        yield _table(subject, answers, wrong[:SHOWN], "The worst answers")
    yield _table(subject, answers, order[::-1][:SHOWN], "The best answers")


def answer_finding(subject: Subject, answers: AnswerOutput) -> Finding:
    """Return how many answers are the truth word for word, and the worst of the others."""
    assert answers.actual is not None
    order = _ordered(subject, answers)
    wrong, total = _wrong(answers, order), len(order)
    said = f"{total - len(wrong):,} of {total:,} answers are the true one to the letter"
    if len(wrong):
        (source,) = _sources(subject, wrong[:1])
        written, actual = (str(column.iloc[int(wrong[0])]) for column in (answers.written, answers.actual))
        asked = f"to “{_short(source, SPOKEN)}” it answers" if source else "it answers"
        said += f"; of the others the worst: {asked} “{_short(written, SPOKEN)}”, and “{_short(actual, SPOKEN)}” is true"
    return Finding(sentence=f"{said}.", grade="ok", weight=0.3)


def _ordered(subject: Subject, answers: AnswerOutput) -> np.ndarray:
    """Return the positions of all answers, the worst first."""
    assert answers.quality is not None
    ties = subject.generator("performance.answers").random(len(answers.quality))
    return np.lexsort((ties, answers.quality))


def _wrong(answers: AnswerOutput, order: np.ndarray) -> np.ndarray:
    """Return those of some positions whose answer is not the truth."""
    assert answers.actual is not None
    right = answers.written.astype(str).to_numpy() == answers.actual.astype(str).to_numpy()
    found: np.ndarray = order[~right[order]]
    return found


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


def _short(text: object, most: int = LONGEST) -> str:
    written = str(text)
    return written if len(written) <= most else f"{written[: most - 1]}…"
