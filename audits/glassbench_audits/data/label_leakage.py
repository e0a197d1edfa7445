"""Columns that give the answer away: one by itself or by a part of its values, one for a part of the rows, or two together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import Finding, Measure
from glassbench.stats.intervals import wilson
from glassbench_audits.data.blurred_leakage import blurred_copies
from glassbench_audits.data.blurred_numbers import blurred_numbers
from glassbench_audits.data.encoded_leakage import parts_of
from glassbench_audits.data.equal_pairs import equal_pair
from glassbench_audits.data.leak import (
    BLURRED,
    ON_A_LINE,
    Leak,
    alone_finding,
    asked_finding,
    blurred_value_finding,
    hidden_finding,
    line_finding,
    sum_finding,
)
from glassbench_audits.data.pair_leakage import Pair, best_pairs, gives_away, spares_together
from glassbench_audits.data.partial_leakage import where_present, within_categories, within_values
from glassbench_audits.data.partly_equal import partly_equal
from glassbench_audits.data.section import Section
from glassbench_audits.data.sum_leakage import best_sum

BINS, FEWEST = 50, 20
"""Bins of a number, and training rows that each must have: there are fewer bins where rows are few."""

SURE = 0.98
"""What a column must get right to give the answer away: this share of the held-out rows, or of their variance.

It is counted in these rows and stands for no others; that it is more than always taking the commonest class is tested."""


NEARLY = 0.85
"""Share of the errors of always taking the commonest class that a column must spare, surely, to be asked about."""


def examine_label_leakage(
    train: Split, held: Split, known: pd.DataFrame, seen: pd.DataFrame, generator: np.random.Generator
) -> Section:
    """Decide the held-out rows by each column alone, and by pairs of columns, as rules learnt from the training rows would.

    Args:
        train, held: The splits.
        known, seen: Their named features.
        generator: Draws rows, where there are many.
    """
    if train.target is None or held.target is None or train.target.ndim != 1 or not len(known.columns) or not len(held):
        return Section()
    learnt, truth = train.target.cpu().numpy(), held.target.cpu().numpy()
    codes = {str(name): _codes(known[name], seen[name]) for name in known.columns}
    told = _of_values if train.target.is_floating_point() else _of_classes
    found = told(known, seen, codes, (learnt, truth), generator)
    counts = {"leaking_columns": found.singles, "hidden_leaks": found.hidden, "suspected_leaks": found.suspected}
    return Section(
        findings=tuple(finding for findings in counts.values() for finding in findings),
        measures=tuple(
            Measure(name=f"data.{name}", value=float(len(findings)), n=len(held), higher_is_better=False)
            for name, findings in counts.items()
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Leaks:
    """What is said of columns alone, of leaks that no column alone shows, and of those that a person is asked about."""

    singles: Sequence[Finding]
    hidden: Sequence[Finding]
    suspected: Sequence[Finding]


Codes = Mapping[str, tuple[np.ndarray, np.ndarray]]
Answers = tuple[np.ndarray, np.ndarray]


def _of_classes(
    known: pd.DataFrame, seen: pd.DataFrame, codes: Codes, answers: Answers, generator: np.random.Generator
) -> _Leaks:
    learnt, truth = answers
    right = {name: _right(*pair, learnt, truth) for name, pair in codes.items()}
    found = [name for name in codes if _decides(right[name], learnt, truth)]
    hidden, pair = _hidden(known, seen, codes, found, learnt, truth)
    near = list(_suspected(hidden, pair, right, found, learnt, truth))
    told = [*hidden, *(leak for leak in near if len(leak.columns) == 1)]
    apart = {*found, *(name for leak in told for name in leak.columns)}
    rows, answer = pd.concat([known, seen], ignore_index=True), np.concatenate([learnt, truth])
    copies = blurred_copies(rows, answer, apart, generator)
    copies += [one.name for one in blurred_numbers(rows, answer, {*apart, *copies}, generator)]
    near = [leak for leak in near if not set(leak.columns) & set(copies)]  # a copy beside an honest column is no pair
    near += [Leak(columns=(name,), where=BLURRED, right=right[name], n=len(truth)) for name in copies]
    return _Leaks(
        singles=[alone_finding(name, values=False) for name in found],
        hidden=[hidden_finding(leak) for leak in hidden],
        suspected=[asked_finding(leak, truth) for leak in near],
    )


def _of_values(known: pd.DataFrame, seen: pd.DataFrame, codes: Codes, answers: Answers, generator: np.random.Generator) -> _Leaks:
    learnt, truth = answers
    found = [name for name, pair in codes.items() if _explains(*pair, learnt, truth)]
    there = np.isfinite(truth)
    rest = known.drop(columns=found), seen[there].drop(columns=found)
    whole = best_sum(*rest, learnt, truth[there]) if there.any() else None
    apart = [*found, *(() if whole is None else whole.columns)]
    lines = list(_partly(known, seen, apart, (learnt, truth), generator))
    apart += [name for leak in lines for name in leak.columns]
    rows, answer = pd.concat([known, seen], ignore_index=True), np.concatenate([learnt, truth])
    blurred = blurred_numbers(rows, answer, apart, generator)
    return _Leaks(
        singles=[alone_finding(name, values=True) for name in found],
        hidden=[] if whole is None else [sum_finding(whole)],
        suspected=[*map(line_finding, lines), *(blurred_value_finding(one.name, one.strength) for one in blurred)],
    )


def _hidden(
    known: pd.DataFrame,
    seen: pd.DataFrame,
    codes: Codes,
    found: list[str],
    learnt: np.ndarray,
    truth: np.ndarray,
) -> tuple[list[Leak], Pair | None]:
    """Return leaks that no single column shows over all rows, and the pair of others that says most more together than alone."""
    rest = [str(name) for name in known.columns if str(name) not in found]
    parts = {name: leak for name in rest if (leak := _in_part(name, known, seen, codes[name], learnt, truth)) is not None}
    named, leaks = set(parts), list(parts.values())
    left = [name for name in rest if name not in named]
    best, joint = best_pairs(known[left], seen[left], learnt, truth) or (None, None)
    for pair in (equal_pair(known[left], seen[left], learnt, truth), best):
        if pair is not None and not set(pair.columns) & named and gives_away(pair, truth, SURE):
            named.update(pair.columns)
            leaks.append(Leak(columns=pair.columns, where="", right=pair.right, n=len(truth)))
    texts = [name for name in rest if not pd.api.types.is_float_dtype(known[name])]
    for (by, value), (name, right, n) in within_categories(known[texts], seen[texts], codes, rest, learnt, truth):
        if not {name, by} & named:
            named.add(name)
            leaks.append(Leak(columns=(name,), where=f"where {by} is “{value}”", right=right, n=n))
    return leaks, joint


def _in_part(
    name: str,
    known: pd.DataFrame,
    seen: pd.DataFrame,
    codes: tuple[np.ndarray, np.ndarray],
    learnt: np.ndarray,
    truth: np.ndarray,
) -> Leak | None:
    """Return how a column gives the answer away by some of its values, a part of them, or where it has one; else None."""
    part = within_values(codes, learnt, truth, ordered=pd.api.types.is_float_dtype(known[name]))
    if part is not None:
        return Leak(columns=(name,), where="where it takes some of its values", right=part[0], n=part[1])
    if (coded := _coded(known[name], seen[name], learnt, truth)) is not None:
        return coded
    there = where_present(known[name], seen[name], codes, learnt, truth)
    return None if there is None else Leak(columns=(name,), where="where it has a value", right=there[0], n=there[1])


def _partly(
    known: pd.DataFrame,
    seen: pd.DataFrame,
    found: list[str],
    values: tuple[np.ndarray, np.ndarray],
    generator: np.random.Generator,
) -> Iterator[Leak]:
    """Yield columns that are the value itself in a part of the rows."""
    for name in known.columns:
        if str(name) not in found and (part := partly_equal(known[name], seen[name], *values, generator)) is not None:
            yield Leak(columns=(str(name),), where=ON_A_LINE, right=part[0], n=part[1])


def _suspected(
    hidden: list[Leak], pair: Pair | None, right: dict[str, int], found: list[str], learnt: np.ndarray, truth: np.ndarray
) -> Iterator[Leak]:
    """Yield columns, and the pair, that spare so many errors that a person must be asked."""
    told = {*found, *(name for leak in hidden for name in leak.columns)}
    for name, hits in right.items():
        if name not in told and (leak := _nearly(name, hits, learnt, truth)) is not None:
            told.add(name)
            yield leak
    if pair is not None and not set(pair.columns) & told:
        a, b = pair.columns
        if spares_together(pair, (right[a], right[b]), truth):
            yield Leak(columns=pair.columns, where="", right=pair.right, n=len(truth))


def _coded(known: pd.Series, seen: pd.Series, learnt: np.ndarray, truth: np.ndarray) -> Leak | None:
    """Return a part of the column's values that decides nearly every row, or None."""
    for words, mine, theirs in parts_of(known, seen):
        right = _right(*_codes(mine, theirs), learnt, truth)
        if _decides(right, learnt, truth):
            return Leak(columns=(f"{words[0].upper()}{words[1:]} of {known.name}",), where="", right=right, n=len(truth))
    return None


def _nearly(name: str, right: int, learnt: np.ndarray, truth: np.ndarray) -> Leak | None:
    """Return a column that alone spares surely nearly all errors of always taking the commonest class, or None."""
    n = len(truth)
    low = float(wilson(np.array(right), np.array(n))[0])
    blind = float((truth == int(np.bincount(learnt).argmax())).mean())
    return Leak(columns=(name,), where="", right=right, n=n) if 1 - low <= (1 - NEARLY) * (1 - blind) else None


def _codes(known: pd.Series, seen: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the bin or the category of each training and held-out row; what is absent or new is the last."""
    if pd.api.types.is_float_dtype(known):
        edges = _edges(known.dropna())
        return tuple(np.where(c.isna(), len(edges) + 1, np.searchsorted(edges, c.to_numpy(float))) for c in (known, seen))  # type: ignore[return-value]
    names = pd.Index(known.dropna().unique())
    return tuple(np.where((code := names.get_indexer(pd.Index(c))) < 0, len(names), code) for c in (known, seen))  # type: ignore[return-value]


def _edges(values: pd.Series) -> np.ndarray:
    """Return bounds between bins of equal mass; a value that repeats often has a bin of its own."""
    if values.empty:
        return np.empty(0)
    bins = int(np.clip(len(values) // FEWEST, 5, BINS))
    counts = values.value_counts()
    often = counts.index[counts >= max(2, len(values) / bins)].to_numpy(dtype=float)
    quantiles = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
    return np.unique(np.concatenate([quantiles, often, np.nextafter(often, -np.inf)]))


def _decides(right: int, learnt: np.ndarray, truth: np.ndarray) -> bool:
    usual = int(np.bincount(learnt).argmax())
    low = float(wilson(np.array(right), np.array(len(truth)))[0])
    blind = float(wilson(np.array((truth == usual).sum()), np.array(len(truth)))[1])
    return low > blind and right / len(truth) >= SURE


def _right(known: np.ndarray, seen: np.ndarray, learnt: np.ndarray, truth: np.ndarray) -> int:
    """Return how many held-out rows are decided right by the commonest class of their code."""
    return int((_answers(known, seen, learnt) == truth).sum())


def _answers(known: np.ndarray, seen: np.ndarray, learnt: np.ndarray) -> np.ndarray:
    """Return the commonest class of each held-out row's code among the training rows `(m,)`."""
    counts = np.zeros((max(known.max(), seen.max()) + 1, learnt.max() + 1))
    np.add.at(counts, (known, learnt), 1)
    return np.asarray(np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), int(np.bincount(learnt).argmax()))[seen])


def _explains(known: np.ndarray, seen: np.ndarray, learnt: np.ndarray, truth: np.ndarray) -> bool:
    size = max(known.max(), seen.max()) + 1
    n = np.bincount(known, minlength=size)
    mean = np.where(n > 0, np.bincount(known, learnt, minlength=size) / np.maximum(n, 1), learnt.mean())
    total = float(((truth - learnt.mean()) ** 2).sum())
    return total > 0 and 1 - float(((truth - mean[seen]) ** 2).sum()) / total >= SURE
