"""What calibration means for a reader, in sentences."""

from collections.abc import Iterator, Sequence

from glassbench.contracts.evidence import Finding
from glassbench.stats.estimate import Estimate
from glassbench.stats.grade import Grade
from glassbench.stats.verdict import judge
from glassbench_audits.calibration.error import Error
from glassbench_audits.calibration.exhibits import RELIABILITY
from glassbench_audits.calibration.parts import Part

_NAMES = ("calibration.calibration_error",)
_STEPS = {
    "concern": "Calibrate again on rows kept aside before probabilities are read.",
    "unclear": "Hold out more rows before probabilities are read.",
}


def findings(parts: Sequence[Part], tolerance: float, what: str, counted: str = "rows") -> Iterator[Finding]:
    """Yield what the calibration of all rows came to, then each group whose probabilities are surely wrong.

    Args:
        parts: All rows first, then the groups.
        tolerance: Calibration error that is let pass.
        what: What the probabilities are of.
        counted: What n counts, rows or clusters.
    """
    n = "n" if counted == "rows" else counted
    whole, groups = parts[0], [p for p in parts[1:] if p.error is not None]
    if whole.error is None:
        sentence = f"{whole.n} {counted} are too few to tell whether stated probabilities come true."
        yield Finding(sentence=sentence, grade="unclear", measures=_NAMES, weight=0.3)
        return
    said = f"calibration error {_interval(whole.error)} (root mean square of stated minus observed, {n} {whole.n})"
    grade = _grade(whole, tolerance)
    words = {
        "ok": f"Stated probabilities of {what} match how often it came true: {said}, within the tolerance of {tolerance:g}.",
        "concern": f"Stated probabilities of {what} do not match how often it came true: {said}, above the tolerance of "
        f"{tolerance:g}; they are {_direction(whole)}.",
    }
    open_words = f"Not enough data to judge the stated probabilities of {what}: {said}, tolerance {tolerance:g}."
    wrong = [p for p in groups if _grade(p, tolerance) == "concern"]
    unsure = grade == "unclear"
    if not (unsure and wrong):  # what is shown of a group is not called unknown beside it
        yield Finding(
            sentence=words.get(grade, open_words),
            grade=grade,
            measures=_NAMES,
            weight=0.55,
            chart=RELIABILITY,
            next_step=_STEPS.get(grade, ""),
        )
    also = f" Over all rows it cannot be told: {said}." if unsure else ""
    yield from (_of_group(part, tolerance, what, n, also) for part in wrong)


def _of_group(part: Part, tolerance: float, what: str, n: str, also: str) -> Finding:
    assert part.error is not None
    group = {str(part.by): str(part.group)}
    return Finding(
        sentence=f"For {part.by} “{part.group}” stated probabilities of {what} do not match how often it came true: calibration "
        f"error {_interval(part.error)} ({n} {part.n}), tolerance {tolerance:g}; they are {_direction(part)}.{also}",
        grade="concern",
        measures=_NAMES,
        weight=0.6,
        group=group,
        by=(str(part.by),),
        between=(group,),
        next_step=_STEPS["concern"],
    )


def _grade(part: Part, tolerance: float) -> Grade:
    assert part.error is not None
    found = judge(Estimate.of(part.error.value, part.error.low, part.error.high, n=part.n), tolerance, "at_most").grade
    return "unclear" if found == "concern" and part.adjusted > 0.05 else found


def _direction(part: Part) -> str:
    value, low, high = part.bias.value, part.bias.low, part.bias.high
    if value is None or low is None or high is None or low <= 0 <= high:
        return "too high in places, too low in others"
    side = "high" if value > 0 else "low"
    return f"on average {abs(value) * 100:.1f} points too {side}"


def _interval(error: Error) -> str:
    return f"{error.value:.3f} [{error.low:.3f}, {error.high:.3f}]"
