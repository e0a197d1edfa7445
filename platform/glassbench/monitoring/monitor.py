"""One look after another at new rows of a run's model."""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glassbench.errors import DataError, RunError
from glassbench.monitoring.decisions import Columns, decided_rows
from glassbench.monitoring.history import History
from glassbench.monitoring.observed import DecidedRows, count_means, first_rows, followed_means, ranked_values
from glassbench.monitoring.reference import Reference, count_reference, generator
from glassbench.monitoring.sequences import ALPHA, Compared, compare, sequences_of
from glassbench.monitoring.standing import MonitorState, standing
from glassbench.pipeline.run_context import RunContext
from glassbench.report.monitoring_page import render_monitoring
from glassbench.rows.new_rows import raw_rows
from glassbench.stats.counted_values import NONE, CountedValues
from glassbench.storage.files import sha256

__all__ = ["Monitor", "MonitorState"]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Look:
    """New rows, counted."""

    means: Mapping[str, CountedValues]
    ranks: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]


class Monitor:
    """The monitoring of one run.

    Args:
        context: The run, as it decides new rows.
        tolerance: The change of the headline that still counts as holding, 0.1 for 10 points.

    Raises:
        RunError: The run is not done.
    """

    def __init__(self, context: RunContext, tolerance: float = 0.1) -> None:
        context.folder.require("report")
        self._context = context
        self._tolerance = tolerance
        self.history = History(context.folder)

    @property
    def state(self) -> MonitorState:
        """How everything stands after the last look.

        Raises:
            RunError: There was no look yet.
        """
        reference, looks = self.history.reference(), self.history.looks()
        if reference is None or not looks:
            raise RunError(
                "nothing of this run has been monitored yet", where=str(self._context.folder.path),
                fix=f"glassbench monitor {self._context.folder.run} new.parquet",
            )  # fmt: skip
        return standing(self._context.folder.run, reference, looks, self._tolerance)

    def look_at_file(self, path: Path, columns: Columns) -> MonitorState:
        """Count the rows of a file, and return how everything stands.

        Raises:
            DataError: The file or its rows cannot be read as asked, or were counted before.
            RunError: The run cannot decide or compare them.
        """
        rows = self._context.read_rows(path)
        return self._look(rows, columns, path.name, sha256(path.resolve()))

    def look(self, frame: Any, columns: Columns) -> MonitorState:
        """Count the rows of a frame, and return how everything stands.

        Raises:
            DataError: The rows cannot be read as asked, or were counted before.
            RunError: The run cannot decide or compare them.
        """
        rows = raw_rows(frame)
        digest = hashlib.sha256(pd.util.hash_pandas_object(rows.astype(str), index=False).to_numpy().tobytes())
        digest.update("\n".join(map(str, rows.columns)).encode())
        return self._look(rows, columns, "a frame", digest.hexdigest())

    def _look(self, raw: pd.DataFrame, columns: Columns, name: str, digest: str) -> MonitorState:
        looks = self.history.looks()
        for earlier in looks:
            if earlier["sha256"] == digest:
                raise DataError(
                    "these rows were counted before",
                    got=f"{name}, the same bytes as look {earlier['look']} of {earlier['time'][:10]}",
                    where=str(self.history.path),
                    fix="give the rows that came since; without a file, the state so far is shown",
                )
        reference = self.history.reference() or count_reference(self._context, self.history.predictions)
        rows = decided_rows(self._context, raw, columns, clustered=reference.clustered)
        seen = {cluster for earlier in looks for cluster in earlier["clusters"]}
        new, clusters, left = _of_new_clusters(rows, seen)
        if not len(new):
            raise DataError("all rows belong to clusters that were counted before", got=f"{len(raw):,} rows", where=name)
        counted = self._counted(new, reference, digest, {"rows left aside": left})
        results = _results(reference, counted, looks)
        record = {
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "file": name, "sha256": digest,
            "alpha": ALPHA, **counted.facts, "clusters": clusters, "results": results,
            "means": {key: values.to_json() for key, values in counted.means.items() if key in reference.means},
            "ranks": {key: [int(count) for count in counts] for key, counts in counted.ranks.items()},
        }  # fmt: skip
        state = standing(self._context.folder.run, reference, [*looks, {"look": len(looks) + 1, **record}], self._tolerance)
        page = render_monitoring(state.to_json())
        with self.history.writing():
            if not looks:
                self.history.write_reference(reference)
            self.history.add(record)
            self.history.write_report(page)
        return state

    def _counted(self, rows: DecidedRows, reference: Reference, digest: str, facts: Mapping[str, Any]) -> _Look:
        schema, kind = self._context.schema, self._context.task.kind
        means = count_means(followed_means(rows, schema, kind, reference.groups), rows.clusters)
        once = rows.take(first_rows(rows.clusters, len(rows)))
        ranked = ranked_values(once, schema, kind)
        ranks = {key: cells.count(ranked[key], generator(key, digest)) for key, cells in reference.ranks.items() if key in ranked}
        truths = int(rows.frame["y_true"].notna().sum()) if "y_true" in rows.frame else 0
        return _Look(means=means, ranks=ranks, facts={"rows": len(rows), "counted": len(once), "truths": truths, **facts})


def _of_new_clusters(rows: DecidedRows, seen: set[str]) -> tuple[DecidedRows, list[str], int]:
    """Return the rows of clusters that were not counted before, short digests of these, and how many rows are left aside."""
    if rows.clusters is None:
        return rows, [], 0
    digests = np.array([hashlib.sha256(str(name).encode()).hexdigest()[:16] for name in rows.clusters])
    new = ~np.isin(digests, list(seen))
    kept = sorted(
        {digest for digest, name in zip(digests[new], rows.clusters[new], strict=True) if not str(name).startswith("row ")}
    )
    return rows.take(new), kept, int((~new).sum())


def _add_look(means: dict[str, list[CountedValues]], look: Mapping[str, CountedValues]) -> None:
    """Add a look's counts to those up to the look before it."""
    for key, counts in look.items():
        several = means.setdefault(key, [])
        several.append((several[-1] if several else NONE) + counts)


def _results(reference: Reference, look: _Look, earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return how each sequence stands after all looks; what was certain once stays so, since the look that found it."""
    means: dict[str, list[CountedValues]] = {}
    ranks = dict(look.ranks)
    for record in earlier:
        _add_look(means, {key: CountedValues.from_json(counts) for key, counts in record["means"].items()})
        for key, counts in record["ranks"].items():
            ranks[key] = ranks.get(key, 0) + np.array(counts)
    _add_look(means, look.means)
    known = {one["key"] + one["kind"]: one for one in (earlier[-1]["results"] if earlier else ())}
    found = []
    for one in sequences_of(reference):
        compared: Compared = compare(one, reference, means, ranks)
        before = known.get(one.key + one.kind)
        since = before["since"] if before else None
        since = since if since is not None else len(earlier) + 1 if compared.certain and compared.worse else None
        found.append({**asdict(one), **asdict(compared), "since": since})
    return found
