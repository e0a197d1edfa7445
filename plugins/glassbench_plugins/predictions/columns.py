"""The columns of decisions made elsewhere: classes and scores."""

import numpy as np
import pandas as pd

from glassbench.contracts.positive_class import checked_favourable, positive_class_by_name
from glassbench.contracts.spelled_names import as_known, known_class
from glassbench.errors import DataError, suggest
from glassbench.stats.ranking import placements

DECISION, SCORE = "y_pred", "score"

_MOST = 1000

_CONTRADICTED = 0.1
"""Decisions follow scores: with so few pairs in their order they follow the score of the other class."""


def class_names(truth: pd.Series, decision: pd.Series, positive: str | None, favourable: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the classes that rows show, in order; of two, the positive one last.

    Args:
        truth: What was true, text `(n,)`, absent where it is not known.
        decision: What was decided, text `(n,)`.
        positive: The positive class; None where names such as yes and no tell, or there are more than two.
        favourable: Classes that are good for a person, where they were named: of two, one of them is then the positive one.

    Raises:
        DataError: There is one class only, there are too many, the positive one is not among them, or nothing tells which it is.
    """
    truth = truth.dropna()
    names = sorted(set(truth.unique()) | set(decision.unique()))
    _check_overlap(truth, decision)
    if len(names) < 2:
        raise DataError("truth and decisions show one class only", got=", ".join(names), fix="audit rows of both classes")
    if len(names) > _MOST:
        raise DataError("there are too many classes", got=f"{len(names)}", fix="are these values? then use kind: value")
    positive = None if positive is None else known_class(positive, names, "dataset.positive")
    if positive is not None and len(names) > 2:
        raise DataError(
            "a positive class is named where there are two, and rows show more",
            got=f"{len(names)} classes: {', '.join(names[:10])}",
            fix="make their spelling one, say with --decides which decisions mean the positive class, or leave --positive out",
        )
    if len(names) == 2:
        last = (
            positive
            or positive_class_by_name(names)
            or next((name for name in names if name in {as_known(good, names) for good in favourable}), None)
        )
        if last is None:
            raise DataError(
                "which of the two classes do rates and scores speak of?",
                available=names,
                where="dataset.positive",
                fix=f"name it: --positive {names[-1]}, or --positive {names[0]}",
            )
        names.sort(key=lambda name: name == last)
    return tuple(names)


def _check_overlap(truth: pd.Series, decision: pd.Series) -> None:
    """Refuse labels of two kinds: a decision whose name is no truth could never be right."""
    true, decided = sorted(truth.unique()), sorted(decision.unique())
    strange = [name for name in decided if name not in true]
    if strange and (len(true) == 2 or len(strange) == len(decided) > 1):
        raise DataError(
            "decisions hold what is never the truth",
            got=", ".join(strange[:10]),
            available=true[:10],
            fix="say which decisions mean the positive class: --decides VALUE,VALUE; or give both columns the same labels",
        )


def classes_of(decision: pd.Series, decides: tuple[str, ...], names: tuple[str, ...]) -> pd.Series:
    """Return decisions as classes: the positive one where the value is among `decides`, else the other.

    Raises:
        DataError: There are more than two classes, or a value of `decides` never occurs.
    """
    if len(names) != 2:
        raise DataError("`decides` needs a truth of two classes", got=", ".join(names[:10]))
    decides = _occurring(decision, decides)
    return decision.isin(decides).map({True: names[1], False: names[0]})


def gathered(decision: pd.Series, decides: tuple[str, ...]) -> tuple[pd.Series, str]:
    """Return decisions as two classes named after the values that count as positive, and the name of that class.

    Raises:
        DataError: A value of `decides` never occurs.
    """
    decides = _occurring(decision, decides)
    name = " or ".join(decides)
    return decision.isin(decides).map({True: name, False: f"not {name}"}), name


def favourable_named(
    favourable: tuple[str, ...], decision: pd.Series, decides: tuple[str, ...], names: tuple[str, ...]
) -> str | tuple[str, ...] | None:
    """Return the favourable classes, where `decides` made classes of values: those that the values named stand for.

    Args:
        favourable: What was named: classes, or values of the decision column.
        decision: What was decided, as it was written, text `(n,)`.
        decides: Values that stand for the positive class; empty where decisions are classes themselves.
        names: The classes, of two the positive one last.

    Raises:
        DataError: A name is neither, or values of both classes are named.
    """
    if decides and favourable and not {as_known(name, names) for name in favourable} <= set(names):
        favourable, decides = _occurring(decision, favourable), _occurring(decision, decides)
        meant = {names[1] if value in decides else names[0] for value in favourable}
        favourable = tuple(meant)
    return checked_favourable(favourable or None, names, where="dataset.favourable")


def _occurring(decision: pd.Series, named: tuple[str, ...]) -> tuple[str, ...]:
    """Return values as decisions read that a person named as they may stand in the file."""
    seen = sorted(decision.unique())
    decides = tuple(as_known(value, seen) for value in named)
    absent = [value for value in decides if value not in seen]
    if absent:
        raise DataError(f"no decision reads '{absent[0]}'", got=absent[0], available=seen, fix=suggest(absent[0], seen))
    return decides


def scores_of(score: pd.Series, column: str, decision: pd.Series, names: tuple[str, ...]) -> pd.Series:
    """Return the probabilities of the positive class.

    Args:
        score: The scores `(n,)`.
        column: Their column's name.
        decision: What was decided `(n,)`.
        names: The classes, the positive one last.

    Raises:
        DataError: There are more than two classes, a score lies outside [0, 1], or scores speak of the other class.
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
    chosen = (decision == names[1]).to_numpy()
    both = chosen.any() and not chosen.all()
    if both and placements(score.to_numpy(), chosen, np.ones(len(score)))[0] <= _CONTRADICTED:
        raise DataError(
            f"scores of '{column}' are lower where '{names[1]}' is decided",
            got=f"{score[chosen].mean():.2f} on average, {score[~chosen].mean():.2f} where '{names[0]}' is decided",
            fix=f"is it the probability of '{names[0]}'? then --positive {names[0]}; or leave the score out",
        )
    return score
