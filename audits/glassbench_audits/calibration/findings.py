"""What calibration means for a reader, in sentences."""

from collections.abc import Iterator, Sequence

from glassbench.evidence import Finding, VerdictWord
from glassbench_audits.calibration.bins import Error
from glassbench_audits.calibration.parts import Part

_NAMES = ("calibration.error",)


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
        yield Finding(sentence=sentence, verdict="insufficient evidence", measures=_NAMES, weight=0.3)
        return
    said = f"off by {_interval(whole.error)} (root mean square, {n} {whole.n})"
    verdict = _verdict(whole, tolerance)
    words = {
        "pass": f"Stated probabilities of {what} can be taken at their word: {said}, surely within the {tolerance:g} allowed.",
        "fail": f"Stated probabilities of {what} are wrong: {said}, beyond the {tolerance:g} allowed; {_direction(whole)}.",
    }
    open_words = f"Whether stated probabilities of {what} come true can't be told yet: {said}, {tolerance:g} is allowed."
    yield Finding(sentence=words.get(verdict, open_words), verdict=verdict, measures=_NAMES, weight=0.55)
    for part in groups:
        if _verdict(part, tolerance) == "fail" and part.error is not None:
            sentence = (
                f"For {part.by} “{part.group}” stated probabilities of {what} are off by {_interval(part.error)} "
                f"({n} {part.n}); {_direction(part)}."
            )
            yield Finding(sentence=sentence, verdict="fail", measures=_NAMES, weight=0.6, group={str(part.by): str(part.group)})


def _verdict(part: Part, tolerance: float) -> VerdictWord:
    assert part.error is not None
    if part.error.high <= tolerance:
        return "pass"
    return "fail" if part.error.low > tolerance and part.adjusted <= 0.05 else "insufficient evidence"


def _direction(part: Part) -> str:
    value, low, high = part.bias
    if low <= 0 <= high:
        return "too high in places, too low in others"
    side = "high" if value > 0 else "low"
    return f"on average {abs(value) * 100:.1f} points too {side}"


def _interval(error: Error) -> str:
    value = f"{error.value:.3f}" if error.value else "no more than chance would show"
    return f"{value} [{error.low:.3f}, {error.high:.3f}]"
