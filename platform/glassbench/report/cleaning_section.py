"""What a cleaning did to the rows of a run: how many of each split, class and group, and for which finding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from glassbench.contracts.exhibits import Table
from glassbench.contracts.measure_words import measure_words
from glassbench.report.grid import Grid, grid
from glassbench.report.numbers import number, percent
from glassbench.stats.intervals import wilson

_DONE = {"drop": "dropped", "relabel": "relabelled"}


@dataclass(frozen=True)
class CleaningSection:
    """What a cleaning did.

    Args:
        lines: Sentences, what matters most first.
        tables: Counts by class, and by group of each feature.
    """

    lines: tuple[str, ...]
    tables: tuple[Grid, ...]


def cleaning_section(cleaning: Mapping[str, Any] | None) -> CleaningSection | None:
    """Return what a cleaning did, from what `provenance.json` holds of it; None where there was none."""
    if not cleaning:
        return None
    named = {"class": cleaning["classes"], **cleaning["groups"]}
    tables = [_table(name, found, list(cleaning["splits"])) for name, found in named.items() if found]
    return CleaningSection(tuple(cleaning_sentences(cleaning)), tuple(grid(table) for table in tables))


def cleaning_sentences(cleaning: Mapping[str, Any] | None) -> list[str]:
    """Return what a cleaning did in sentences, what matters most first; nothing where there was none."""
    if not cleaning:
        return []
    emptied = [f"No {one['split']} row of {one['feature']} {one['group']} is left." for one in cleaning["emptied"]]
    of_test = _of_test(cleaning["splits"].get("test"))
    return [_what(cleaning), *emptied, *of_test, *_unequal(cleaning["groups"]), *_why(cleaning)]


def _what(cleaning: Mapping[str, Any]) -> str:
    changed = {name: of for name, of in cleaning["splits"].items() if of["dropped"] or of["relabelled"]}
    parts = "; ".join(f"of {number(of['rows'])} {name} rows {_counts(of)}" for name, of in changed.items())
    words = f"{parts} (cleaning {cleaning['version']}, {cleaning['file']})." if parts else "The cleaning changed no row."
    return f"{words[:1].upper()}{words[1:]}"


def _counts(of: Mapping[str, int]) -> str:
    counts = [(of[done], done) for done in _DONE.values()]
    return " and ".join(f"{number(count)} ({percent(count, of['rows'])}) {done}" for count, done in counts if count)


def _of_test(test: Mapping[str, int] | None) -> list[str]:
    """Return what a cleaning of test rows means for the figures."""
    if test is None:
        return []
    said = ["Figures rest on the test rows that are left."] if test["dropped"] else []
    changed = "Labels of test rows were changed: figures rest on truths that are not those of the data."
    return said + ([changed] if test["relabelled"] else [])


def _unequal(groups: Mapping[str, Any]) -> list[str]:
    """Return for which features cleaning changed rows of one group more often than of another, by Wilson's 95 % intervals."""
    found = []
    for feature, of in groups.items():
        shares = {group: splits["training"] for group, splits in of.items() if splits.get("training", {}).get("rows")}
        bounds = {group: _bounds(counts) for group, counts in shares.items()}
        apart = [(a, b) for a, b in combinations(bounds, 2) if bounds[a][1] < bounds[b][0] or bounds[b][1] < bounds[a][0]]
        if apart:
            one, other = max(apart, key=lambda pair: abs(_share(shares[pair[0]]) - _share(shares[pair[1]])))
            most, least = sorted((one, other), key=lambda group: -_share(shares[group]))
            told = {group: percent(_changed(shares[group]), shares[group]["rows"]) for group in (most, least)}
            found.append(
                f"More training rows of {feature} {most} were changed ({told[most]}) than of {least} ({told[least]}): see "
                "what that does to the groups."
            )
    return found


def _changed(counts: Mapping[str, int]) -> int:
    return counts["dropped"] + counts["relabelled"]


def _share(counts: Mapping[str, int]) -> float:
    return _changed(counts) / counts["rows"]


def _bounds(counts: Mapping[str, int]) -> tuple[float, float]:
    low, high = wilson(np.array(_changed(counts)), np.array(counts["rows"]))
    return float(low), float(high)


def _why(cleaning: Mapping[str, Any]) -> list[str]:
    why = [
        f"{number(one['rows'])} {one['split']} rows {_DONE.get(one['action'], one['action'])} for "
        f"{measure_words(one['measure']) if one['measure'] else 'no finding'}"
        for one in cleaning["changes"]
    ]
    kept = [f"{number(cleaning['listed'])} rows were listed and kept"] if cleaning["listed"] else []
    return [f"{'; '.join([*why, *kept])}."] if why or kept else []


def _table(name: str, found: Mapping[str, Mapping[str, Mapping[str, int]]], splits: Sequence[str]) -> Table:
    kinds = ("rows", "dropped", "relabelled")
    seen = [
        (split, kind)
        for split in splits
        for kind in kinds
        if kind == "rows" or any(of.get(split, {}).get(kind) for of in found.values())
    ]
    rows: tuple[tuple[str | int, ...], ...] = tuple(
        (group, *(of.get(split, {}).get(kind, 0) for split, kind in seen)) for group, of in found.items()
    )
    return Table(title=f"Rows cleaned by {name}", columns=(name, *(f"{split} {kind}" for split, kind in seen)), rows=rows)
