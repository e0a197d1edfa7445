"""Joining rows: pandas objects by their index, everything else by place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from glassbench.errors import DataError

_SHOWN = 3


@dataclass(eq=False)
class RowOrder:
    """The order of the rows in X, into which everything else that holds rows is brought.

    A Series or a DataFrame is joined to a DataFrame X by index. Arrays, lists, tensors and frames without an index are joined
    by place. Where X itself has no index, all pandas objects beside it must have the same index in the same order.

    Args:
        n: Number of rows.
        index: The index of X; None where X has none.
    """

    n: int
    index: pd.Index | None
    _first: tuple[str, pd.Index] | None = field(default=None, init=False)
    _placed: list[str] = field(default_factory=list, init=False)
    _reordered: list[str] = field(default_factory=list, init=False)

    @classmethod
    def of(cls, X: Any) -> "RowOrder":
        """Return the order of the rows of X."""
        return cls(len(X), X.index if isinstance(X, pd.DataFrame | pd.Series) else None)

    def join(self, what: str, given: Any) -> Any:
        """Return what was given in the order of X; pandas objects get the index 0 to n - 1.

        Args:
            what: What it is called in messages.
            given: A Series, a DataFrame, a mapping of columns, or anything with a length.

        Raises:
            DataError: Its index has other labels than that of X, a label stands for several rows, or its length differs.
        """
        if given is None:
            return None
        if isinstance(given, Mapping):
            return {name: self.join(f"{what} '{name}'", column) for name, column in given.items()}
        if not isinstance(given, pd.DataFrame | pd.Series):
            self._check_length(what, given)
            self._placed += [what] if self.index is not None else []
            return given
        places = self._places(what, given.index)
        return (given if places is None else given.iloc[places]).reset_index(drop=True)

    def answers(self, answer: Any) -> Any:
        """Return what a model answered in the order of X.

        An answer numbered from 0 was most likely wrapped by the model after it was asked: it is taken by place, unless X has the
        same labels in another order, so that nobody can tell.

        Raises:
            DataError: The index of the answer contradicts that of X.
        """
        if not isinstance(answer, pd.DataFrame | pd.Series) or self.index is None or len(answer) != self.n:
            return answer
        if not answer.index.equals(pd.RangeIndex(self.n)) or answer.index.equals(self.index):
            return self.join("the model's answer", answer)
        if self.index.isin(answer.index).all():
            raise DataError(
                "the model's answers are numbered from 0, while X has the same labels in another order",
                got=f"X starts with {_listed(self.index)}",
                fix="return an array in the order of the rows, or a Series with the rows' own index",
            )
        return answer.reset_index(drop=True)

    @property
    def notes(self) -> tuple[str, ...]:
        """How the rows were joined, where that may be asked for."""
        notes = []
        if self._reordered:
            notes.append(f"Brought into the order of X by index: {', '.join(self._reordered)}.")
        if self._placed:
            shuffled = self.index is not None and not self.index.is_monotonic_increasing
            hint = "; the index of X is not in ascending order, so make sure that they were reordered with it" if shuffled else ""
            notes.append(f"Joined to X by place, because they have no index: {', '.join(self._placed)}{hint}.")
        if self._first is not None:
            notes.append(f"X has no index: {self._first[0]} and all others were joined to it by place.")
        return tuple(notes)

    def _places(self, what: str, index: pd.Index) -> np.ndarray | None:
        """Return where each row of X stands in something with an index; None where both have the same order."""
        if self.index is None:
            self._check_without_index(what, index)
            return None
        if index.equals(self.index):
            return None
        missing, surplus = self.index[~_within(self.index, index)], index[~_within(index, self.index)]
        if len(missing) or len(surplus):
            raise _differing(what, missing, surplus)
        for name, labels in (("X", self.index), (what, index)):
            if labels.has_duplicates:
                raise _repeated(name, what, labels)
        self._reordered.append(what)
        places: np.ndarray = index.get_indexer(self.index)
        return places

    def _check_without_index(self, what: str, index: pd.Index) -> None:
        self._check_length(what, index)
        name, first = self._first = self._first or (what, index)
        if not index.equals(first):
            raise DataError(
                f"{name} and {what} have different indexes, and X has none to say which order is right",
                got=f"{name}: {_listed(first)}; {what}: {_listed(index)}",
                fix="give X as a DataFrame with its index, or what is in the order of X already as arrays: .to_numpy()",
            )

    def _check_length(self, what: str, given: Any) -> None:
        if not hasattr(given, "__len__"):
            raise DataError(f"{what} holds no rows", got=type(given).__name__, fix="give one value for each row of X")
        if len(given) != self.n:
            raise DataError(f"{what} has another length than X", got=f"{len(given)} and {self.n}")


def _differing(what: str, missing: pd.Index, surplus: pd.Index) -> DataError:
    said = [f"{len(missing)} labels of X are not in it, such as {_listed(missing)}"] if len(missing) else []
    said += [f"{len(surplus)} of its labels are not in X, such as {_listed(surplus)}"] if len(surplus) else []
    known = f"select the rows of X from it: {_spelt(what)}.loc[X.index]; " if not len(missing) else ""
    return DataError(
        f"the index of {what} differs from that of X",
        got="; ".join(said),
        fix=f"{known}if its rows are in the order of X already, give it without an index: {_spelt(what)}.to_numpy()",
    )


def _repeated(name: str, what: str, labels: pd.Index) -> DataError:
    twice = labels[labels.duplicated()].unique()
    return DataError(
        f"a label of the index of {name} stands for several rows, so {what} cannot be joined by index",
        got=f"{len(twice)} labels more than once, such as {_listed(twice)}",
        fix=f"give every row a label of its own, or {what} without an index in the order of X: .to_numpy()",
    )


def _within(labels: pd.Index, others: pd.Index) -> np.ndarray:
    """Say which labels are among others; one level and several levels have nothing in common."""
    if labels.nlevels != others.nlevels:
        return np.zeros(len(labels), dtype=bool)
    return np.asarray(labels.isin(others))


def _spelt(what: str) -> str:
    return what.split()[-1] if what == "the truth y" else "it"


def _listed(labels: pd.Index) -> str:
    return ", ".join((repr(label) if isinstance(label, str) else str(label))[:40] for label in labels[:_SHOWN])
