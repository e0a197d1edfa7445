"""What the report says about the data: sizes, target, groups, features, and what was done to the rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glassbench.contracts.exhibits import Table
from glassbench.printable import plural
from glassbench.report.facts import Fact, facts
from glassbench.report.grid import MOST_ROWS, Grid, grid, without_empty
from glassbench.report.numbers import number, percent
from glassbench.report.record import Record
from glassbench.rows.group_order import in_group_order

_SHOWN_CATEGORIES = 8


@dataclass(frozen=True)
class DataSection:
    """The data as facts and tables.

    Args:
        facts: Where it comes from, what is predicted.
        tables: Splits, target, groups, features.
        notes: What was done to the data.
    """

    facts: tuple[Fact, ...]
    tables: tuple[Grid, ...]
    notes: tuple[str, ...]


def data_section(record: Record) -> DataSection | None:
    """Return what is known of the data, or None when nothing is."""
    if not record.data and not record.schema:
        return None
    tables = [_target(record), *_groups(record), _features(record)]
    shown = tuple(
        grid(table, most=MOST_ROWS, source="schema.json and data.json") for table in tables if table is not None and table.rows
    )
    return DataSection(_facts(record), shown, tuple(map(str, record.data.get("notes", []))))


def _facts(record: Record) -> tuple[Fact, ...]:
    rows = {name: count for name, count in record.data.get("rows", {}).items() if count}
    sizes = ", ".join(f"{number(count)} {name}" for name, count in rows.items())
    target = record.schema.get("target", {})
    known = {
        "source": record.data.get("source"),
        plural(record.unit): sizes,
        "predicted": _target_words(target),
        "sensitive features": list(record.schema.get("sensitive", [])),
        "fingerprint": record.data.get("fingerprint"),
    }
    return facts({name: value for name, value in known.items() if value})


def _target_words(target: Mapping[str, Any]) -> str:
    if not target or target.get("kind") == "none":
        return ""
    unit = f", in {target['unit']}" if target.get("unit") else ""
    classes = _some(target.get("classes") or [])
    return f"{target.get('name')}{unit}{f' ({classes})' if classes else ''}"


def _target(record: Record) -> Table | None:
    target = record.data.get("target") or {}
    if not target:
        return None
    title = f"Target by split: {record.schema.get('target', {}).get('name', 'target')}"
    names = list(dict.fromkeys(name for split in target.values() for name in split))
    if (record.schema.get("target") or {}).get("kind") == "value":
        rows = tuple((split, *(found.get(name) for name in names)) for split, found in target.items())
        return Table(title=title, columns=("split", *names), rows=rows)
    if (record.schema.get("target") or {}).get("kind") == "labels":  # a row has any number of them
        return _shares(title, "label", target, record.data.get("rows"))
    return _shares(title, "class", target)


def _groups(record: Record) -> list[Table]:
    groups = record.data.get("groups") or {}
    return [_shares(f"Groups by split: {feature}", str(feature), _ordered(splits)) for feature, splits in groups.items()]


def _ordered(splits: Mapping[str, Mapping[str, int]]) -> Mapping[str, Mapping[str, int]]:
    """Return the counts of groups in the order in which groups are shown everywhere."""
    names = in_group_order(name for split in splits.values() for name in split)
    return {split: {name: counts.get(name, 0) for name in names} for split, counts in splits.items()}


def _shares(title: str, head: str, splits: Mapping[str, Mapping[str, int]], rows_of: Mapping[str, int] | None = None) -> Table:
    names = list(dict.fromkeys(name for split in splits.values() for name in split))
    totals = rows_of or {split: sum(counts.values()) for split, counts in splits.items()}
    rows = tuple((name, *(_share(counts.get(name, 0), totals[split]) for split, counts in splits.items())) for name in names)
    return Table(title=title, columns=(head, *splits), rows=rows)


def _share(count: int, total: int) -> str:
    return f"{number(count)} ({percent(count, total)})"


def _features(record: Record) -> Table | None:
    features = record.schema.get("features") or []
    rows = tuple((f["name"], f["kind"], f.get("unit") or "", _some(f.get("categories") or [])) for f in features)
    return without_empty(Table(title=f"Inputs ({len(rows)})", columns=("feature", "kind", "unit", "categories"), rows=rows))


def _some(names: list[str]) -> str:
    rest = f", and {len(names) - _SHOWN_CATEGORIES} more" if len(names) > _SHOWN_CATEGORIES else ""
    return ", ".join(map(str, names[:_SHOWN_CATEGORIES])) + rest
