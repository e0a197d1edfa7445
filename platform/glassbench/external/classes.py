"""The classes an external model tells apart, in the order of its answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from glassbench.contracts.positive_class import positive_class_by_name
from glassbench.contracts.spelled_names import as_known
from glassbench.errors import DataError
from glassbench.external.output_format import labels_in, name_of, width_of

_SHOWN = 10


def classes_of(named: Sequence[Any], y: pd.Series | None, answer: Any, positive: Any) -> tuple[str, ...]:
    """Return the classes in the order of a model's answers; the truth may know no others.

    Args:
        named: The classes as the person or the model names them, if either does.
        y: What was true, `(n,)`, if it is known.
        answer: What the model answered.
        positive: The positive class, if it was named: one score alone is the score of that class.

    Raises:
        DataError: Nothing tells which class a score speaks of, there is one class only, or the truth holds others.
    """
    seen = [] if y is None else list(pd.unique(y.dropna()))
    names = tuple(dict.fromkeys(map(name_of, list(named) or _shown(seen, answer, positive))))
    strange = [name for name in map(name_of, seen) if name not in names]
    if strange:
        raise DataError(
            "the truth holds labels the model does not know",
            got=", ".join(strange[:_SHOWN]),
            available=names,
            fix="leave those rows out, or map the labels to the model's",
        )
    if len(names) < 2:
        raise DataError("one class only is known", got=", ".join(names) or "none", fix="name all of them: classes=[...]")
    return names


def named_classes(given: Sequence[Any], own: Sequence[Any]) -> Sequence[Any]:
    """Return the classes as the person names them, else as the model does.

    Args:
        given: The person's names, in the order of the model's answers; empty where there are none.
        own: The model's own, likewise.

    Raises:
        DataError: The person names another number of classes, or the model's own in another order.
    """
    if not given or not own:
        return given or own
    said, known = [*map(name_of, given)], [*map(name_of, own)]
    if len(said) != len(known):
        problem = f"{len(said)} classes are named, and the model knows {len(known)}"
        raise DataError(problem, where="classes", got=", ".join(said[:_SHOWN]), available=known)
    if said != known and sorted(said) == sorted(known):
        problem = "the classes are named in another order than the model has them"
        raise DataError(problem, where="classes", got=", ".join(said[:_SHOWN]), available=known, fix="leave classes out")
    return given


def _shown(seen: list[Any], answer: Any, positive: Any) -> list[Any]:
    """Return the classes that truth and answers show."""
    width = width_of(answer)
    if width is not None:
        return _numbered(seen, width)
    labels = labels_in(answer, [*map(name_of, seen)])
    if labels is None:
        return _by_one_score(_sorted(seen), positive)
    others = [label for label in labels if label not in set(map(name_of, seen))]
    if seen and len(others) == len(labels) > 1:
        raise DataError(
            "the model's labels and the truth's have nothing in common",
            got=", ".join(others[:_SHOWN]),
            available=[*map(name_of, seen)][:_SHOWN],
            fix="map the one to the other",
        )
    return _sorted([*seen, *others])


def _numbered(seen: list[Any], width: int) -> list[Any]:
    """Return the numbers of the columns; as many other labels do not say which column is whose."""
    if all(isinstance(v, int | float | np.number) and v in range(width) for v in seen):
        return list(range(width))
    if width != len(seen):
        return _sorted(seen)
    raise DataError(
        f"which class does each of the {width} scores speak of?",
        got=f"labels such as {', '.join(map(name_of, seen[:2]))}",
        fix="name the classes in the order of the model's outputs: classes=[...]",
    )


def _by_one_score(names: list[Any], positive: Any) -> list[Any]:
    """Return two classes with the one last that one score alone speaks of."""
    if len(names) != 2:
        return names
    known = [*map(name_of, names)]
    last = positive_class_by_name(known) if positive is None else as_known(name_of(positive), known)
    if last is None:
        raise DataError(
            "which of the two classes does the score speak of?",
            available=known,
            fix=f"name it: positive={name_of(names[-1])!r}, or the classes in order: classes=[...]",
        )
    return sorted(names, key=lambda name: name_of(name) == last)


def _sorted(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda v: (isinstance(v, str), v))
