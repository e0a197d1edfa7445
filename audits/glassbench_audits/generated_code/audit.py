"""The audit of generated code: functions after held-out headers, parsed and never run."""

import numpy as np

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Table
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Generation, Task
from glassbench.contracts.text_pieces import TextReader
from glassbench.stats.estimate import Estimate
from glassbench.stats.intervals import mover_difference, rate_interval
from glassbench.stats.percent import in_percent
from glassbench.stats.settings_types import Count, Level, NonNegativeNumber, Share
from glassbench.stats.verdict import judge
from glassbench_audits.generated_code.written import WrittenFunction, written_functions

FEWEST, SHOWN, LONGEST = 10, 6, 400
"""Functions below which nothing is said, functions shown, and characters of each."""


def audit(
    subject: Subject,
    *,
    functions: Count = 50,
    length: Count = 200,
    temperature: NonNegativeNumber = 0.5,
    tolerance: Share = 0.5,
    level: Level = 0.95,
) -> AuditResult:
    """Let a language model of Python source write functions, and ask Python's parser whether they are Python.

    Args:
        functions: How many, after as many headers of held-out functions.
        length: Tokens that are written after each; a function that goes on is cut after its last whole line, and not counted
            where it breaks off within brackets or a text.
        temperature: Below 1 the model keeps to what is likely.
        tolerance: How far the share that can be parsed may lie below that of the text's own functions.
        level: Confidence level of the intervals.
    """
    if reason := subject.missing(("model", "predictions")):
        return _not_applicable(reason)
    source, encoder = subject.predictions.source, subject.encoder
    writes = isinstance(subject.task, Task) and type(subject.task).generate is not Task.generate
    raw = None if source is None else source.raw
    if not writes or not isinstance(encoder, TextReader) or raw is None or encoder.text not in raw:
        return _not_applicable("the task writes no running text, or no held-out text is known")
    how = Generation(length=length, temperature=temperature, seed=subject.seed)
    every = written_functions(subject, raw[encoder.text].astype(str).tolist(), functions, how)
    found = [one for one in every if one.parsed is not None]
    known = [one.actual_parsed for one in every if one.actual_parsed is not None]
    if min(len(found), len(known)) < FEWEST:
        return _not_applicable(
            f"of {len(every)} held-out headers of Python functions, {len(found)} written functions and {len(known)} of the "
            f"text's own are known far enough to be parsed, and {FEWEST} are the least"
        )
    ours, theirs = _share([bool(one.parsed) for one in found], level), _share(known, level)
    gap = _below(ours, theirs, level)
    return AuditResult(
        measures=(
            Measure.of("generated-code.parsed", ours, higher_is_better=True),
            Measure.of("generated-code.parsed_actual", theirs, higher_is_better=True),
            Measure.of("generated-code.parsed_difference", gap, higher_is_better=False),
        ),
        findings=(_finding(found, len(every), ours, theirs, gap, tolerance),),
        tables=(_table(found),),
        method=_method({"functions": len(found), "length": length, "temperature": temperature, "tolerance": tolerance}),
    )


def _share(hits: list[bool], level: float) -> Estimate:
    low, high = rate_interval(np.array(float(sum(hits))), np.array(float(len(hits))), level)
    return Estimate.of(sum(hits) / len(hits), float(low), float(high), level=level, n=len(hits))


def _below(ours: Estimate, theirs: Estimate, level: float) -> Estimate:
    """Return how far the first share lies below the second, with the interval of Newcombe's hybrid method."""
    a, b = (tuple(np.array(end) for end in (one.value, one.low, one.high)) for one in (theirs, ours))
    low, high = mover_difference((a[0], a[1], a[2]), (b[0], b[1], b[2]))
    return Estimate.of(float(a[0] - b[0]), float(low), float(high), level=level, n=ours.n)


def _finding(
    found: list[WrittenFunction], asked: int, ours: Estimate, theirs: Estimate, gap: Estimate, tolerance: float
) -> Finding:
    judgement = judge(gap, tolerance, "at_most")
    parsed = sum(bool(one.parsed) for one in found)
    ends = f"{in_percent(ours.level)} interval {in_percent(ours.low)} to {in_percent(ours.high)}"
    said = {
        "ok": f"within the {in_percent(tolerance)} allowed below that",
        "concern": f"more than the {in_percent(tolerance)} allowed below that",
        "unclear": f"which {len(found)} functions cannot tell from the {in_percent(tolerance)} allowed below that",
    }[judgement.grade]
    left = f" {asked - len(found)} more break off where nobody can tell." if asked > len(found) else ""
    text = (
        f"{parsed} of {len(found)} functions that the model writes are Python by the language's own parser "
        f"({in_percent(ours.value)}, {ends}); of {theirs.n} of the text's own, {in_percent(theirs.value)} are: {said}.{left} "
        "That a function can be parsed does not mean that it works; nothing was run."
    )
    step = "Train for longer, on more source or with a wider context." if judgement.grade == "concern" else ""
    names = ("generated-code.parsed", "generated-code.parsed_difference")
    return Finding(sentence=text, grade=judgement.grade, measures=names, weight=0.6, next_step=step)


def _table(found: list[WrittenFunction]) -> Table:
    """Return functions that cannot be parsed and such that can, as many of either as there are."""
    wrong, right = ([one for one in found if one.parsed is parsed] for parsed in (False, True))
    half = SHOWN // 2
    shown = [*wrong[: max(half, SHOWN - len(right))], *right[: max(half, SHOWN - len(wrong))]][:SHOWN]
    return Table(
        title="Functions the model wrote",
        columns=("window", "the model's function", "can be parsed", "the text's own"),
        rows=tuple((one.row, _short(one.text), "yes" if one.parsed else "no", _short(one.actual)) for one in shown),
        note="Each begins with the header of a held-out function; both are cut after their last whole line.",
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _method(parameters: dict[str, float]) -> Method:
    return Method(
        summary="The model goes on after headers of held-out functions. What it writes is cut where a line is indented no deeper "
        "than the header, or after the last whole line, and given to ast.parse, which builds a syntax tree. A function that "
        "breaks off within brackets or a text is not counted. Nothing is compiled or run.",
        parameters=parameters,
        references=("Newcombe (1998), Interval estimation for the difference between independent proportions",),
        cautions=(
            "Parsing is a low bar: names may be unknown, and the code may do nothing that its name says.",
            "Short functions are parsed more easily than long ones.",
        ),
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Functions written by the model, parsed."), not_applicable=reason)
