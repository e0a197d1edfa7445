"""Rows that stand for their cluster, and rows that could as well be in another."""

import numpy as np

from glassbench.contracts.exhibits import Case, Table
from glassbench.contracts.readable import in_its_unit
from glassbench.contracts.schema import Feature
from glassbench.stats.percent import in_percent
from glassbench_audits.clusters.members import Members
from glassbench_audits.clusters.profile import Trait

_VALUES = 5


def prototype_table(members: Members, found: dict[str, tuple[Trait, ...]], each: int) -> Table:
    """Return the rows nearest the middle of each cluster, and those least sure to be in it."""
    rows = []
    for k, name in enumerate(members.names):
        features = [trait.feature.name for trait in found[name][:_VALUES]]
        for kind, positions in (("prototype", prototypes(members, k, each)), ("borderline", borderline(members, k, each))):
            rows += [(name, kind, *_row(members, int(position), features)) for position in positions]
    return Table(
        title="Typical and borderline rows",
        columns=("cluster", "why", "row", "sure", "second choice", "what it is"),
        rows=tuple(rows),
        note="Prototypes are nearest the middle of their cluster; borderline rows are least sure. Values are of those traits.",
    )


def borderline_cases(members: Members, most: int) -> tuple[Case, ...]:
    """Return the rows of all that are least sure, each between which two clusters."""
    margins = _margins(members)
    order = [int(i) for i in np.argsort(margins, kind="stable") if members.codes[i] >= 0][:most]
    frame = members.subject.predictions.frame
    return tuple(
        Case(
            title="a borderline row",
            row=str(frame["row"].iloc[i]),
            decision=f"{members.decided[i]}, {in_percent(_sure(members)[i], 1)} sure; second choice {_second(members, i)}",
            truth=None if "y_true" not in frame else str(frame["y_true"].iloc[i]),
            note=f"The two differ by {in_percent(margins[i], 1)}: treat it as belonging to either.",
        )
        for i in order
    )


def prototypes(members: Members, cluster: int, each: int) -> np.ndarray:
    """Return the positions of the rows nearest the mean of their cluster, or the surest where inputs are no numbers."""
    own = np.flatnonzero(members.codes == cluster)
    if members.inputs is None:
        return own[np.argsort(-_sure(members)[own], kind="stable")[:each]]
    rows = members.inputs[own]
    return own[np.argsort(((rows - rows.mean(axis=0)) ** 2).sum(axis=1), kind="stable")[:each]]


def borderline(members: Members, cluster: int, each: int) -> np.ndarray:
    """Return the positions of the cluster's least sure rows."""
    own = np.flatnonzero(members.codes == cluster)
    return own[np.argsort(_margins(members)[own], kind="stable")[:each]]


def _row(members: Members, position: int, features: list[str]) -> tuple[str, str, str, str]:
    record = members.subject.predictions.frame["row"].iloc[position]
    values = {feature.name: (feature, column) for feature, column in members.features}
    said = ", ".join(f"{name} {_value(values[name][1].iloc[position], values[name][0])}" for name in features)
    return str(record), in_percent(_sure(members)[position], 1), _second(members, position), said


def _value(value: object, feature: Feature) -> str:
    return in_its_unit(value, feature) if isinstance(value, float) else str(value)


def _scores(members: Members) -> np.ndarray:
    return members.subject.predictions.scores.to_numpy(dtype=np.float64)


def _sure(members: Members) -> np.ndarray:
    return np.asarray(_scores(members).max(axis=1))


def _margins(members: Members) -> np.ndarray:
    """Return the lead of the first choice over the second `(n,)`."""
    ordered = np.sort(_scores(members), axis=1)
    return ordered[:, -1] - ordered[:, -2] if ordered.shape[1] > 1 else np.ones(len(ordered))


def _second(members: Members, position: int) -> str:
    names = [str(name) for name in members.subject.predictions.scores.columns]
    order = np.argsort(-_scores(members)[position], kind="stable")
    return names[int(order[1])] if len(names) > 1 else "none"
