"""The columns of decisions made elsewhere: classes and scores."""

import pandas as pd

from glassbench.errors import DataError, suggest

DECISION, SCORE = "decision", "score"

_MOST = 1000


def class_names(truth: pd.Series, decision: pd.Series, positive: str | None) -> tuple[str, ...]:
    """Return the classes that rows show, in order; of two, the positive one last.

    Args:
        truth: What was true, text `(n,)`.
        decision: What was decided, text `(n,)`.
        positive: The positive class, or None.

    Raises:
        DataError: There is one class only, there are too many, or the positive one is not among them.
    """
    names = sorted(set(truth.unique()) | set(decision.unique()))
    if len(names) < 2:
        raise DataError("truth and decisions show one class only", got=", ".join(names), fix="audit rows of both classes")
    if len(names) > _MOST:
        raise DataError("there are too many classes", got=f"{len(names)}", fix="are these values? then use kind: value")
    if positive is not None and positive not in names:
        raise DataError(f"no row is '{positive}'", got=positive, available=names, fix=suggest(positive, names))
    if positive is not None and len(names) == 2:
        names.sort(key=lambda name: name == positive)
    return tuple(names)


def classes_of(decision: pd.Series, decides: tuple[str, ...], names: tuple[str, ...]) -> pd.Series:
    """Return decisions as classes: the positive one where the value is among `decides`, else the other.

    Raises:
        DataError: There are more than two classes, or a value of `decides` never occurs.
    """
    if len(names) != 2:
        raise DataError("`decides` needs a truth of two classes", got=", ".join(names[:10]))
    _check_occurring(decision, decides)
    return decision.isin(decides).map({True: names[1], False: names[0]})


def gathered(decision: pd.Series, decides: tuple[str, ...]) -> tuple[pd.Series, str]:
    """Return decisions as two classes named after the values that count as positive, and the name of that class.

    Raises:
        DataError: A value of `decides` never occurs.
    """
    _check_occurring(decision, decides)
    name = " or ".join(decides)
    return decision.isin(decides).map({True: name, False: f"not {name}"}), name


def _check_occurring(decision: pd.Series, decides: tuple[str, ...]) -> None:
    seen = sorted(decision.unique())
    absent = [value for value in decides if value not in seen]
    if absent:
        raise DataError(f"no decision reads '{absent[0]}'", got=absent[0], available=seen, fix=suggest(absent[0], seen))


def scores_of(score: pd.Series, column: str, names: tuple[str, ...]) -> pd.Series:
    """Return the probabilities of the positive class.

    Raises:
        DataError: There are more than two classes, or a score lies outside [0, 1].
    """
    if len(names) != 2:
        raise DataError("a score column needs two classes", got=f"{len(names)} classes", fix="leave the score out")
    outside = score[(score < 0) | (score > 1)]
    if len(outside):
        raise DataError(
            f"{len(outside)} scores of '{column}' lie outside 0 to 1",
            got=f"{outside.iloc[0]:g} in row {outside.index[0] + 1}",
            fix="rescale them to probabilities, or leave the score out",
        )
    return score
