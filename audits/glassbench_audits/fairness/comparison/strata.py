"""Strata: rows that share the values of the control features, looked at on their own."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.errors import SettingsError, suggest
from glassbench_audits.fairness.comparison.stratifiers import MOST_LEVELS, raw_columns, stratified_column
from glassbench_audits.fairness.frames.groups import Column, Group, columns, mixed, product_groups


def check_control(subject: Subject, control: Sequence[str]) -> None:
    """Make sure that the rows have the control columns, and that a sensitive feature is left to compare.

    Raises:
        SettingsError: One is not, or none would be left.
    """
    sensitive = [str(name) for name in subject.predictions.groups.columns]
    known = [*sensitive, *map(str, raw_columns(subject).columns)]
    for name in control:
        if name not in known:
            raise SettingsError(
                f"fairness.control names '{name}', which is no column of the audited rows",
                got=name,
                available=known,
                fix=suggest(name, known) or "name it among the data set's sensitive features",
            )
    if control and set(control) >= set(sensitive):
        raise SettingsError(
            "fairness.control names every sensitive feature, so that none is left to compare within the strata",
            got=", ".join(control),
            fix="name another sensitive feature in the data set, or fewer here",
        )


def strata(subject: Subject, control: Sequence[str], most: int) -> Iterator[tuple[Group, Subject]]:
    """Yield each combination of the control features' values that rows have, with these rows alone.

    The sensitive features of each are the others. Nothing is yielded where there are more than `most` combinations.

    Args:
        subject: What is examined.
        control: Columns to hold fixed.
        most: The most strata.
    """
    if not control:
        return
    frame = subject.predictions.frame
    features = [_feature(subject, name) for name in control]
    codes = mixed([f.codes for f in features], [len(f.values) for f in features])
    names = product_groups(features)
    present = np.flatnonzero(np.bincount(codes, minlength=len(names)))
    if len(present) > most:
        return
    rest = frame.drop(columns=[f"group.{name}" for name in control], errors="ignore")
    for place in present.tolist():
        rows = rest[codes == place].reset_index(drop=True)
        yield names[place], replace(subject, predictions=Predictions(frame=rows))


def _feature(subject: Subject, name: str) -> Column:
    """Return a control column: a sensitive feature as it is, another one as categories or cut into bands.

    Raises:
        SettingsError: It has too many values that are no numbers.
    """
    groups = subject.predictions.groups
    if name in groups:
        return columns(groups[[name]])[0]
    found = stratified_column(raw_columns(subject)[name])
    if found is None:
        fix = f"name a column of 2 to {MOST_LEVELS} values, of more that have ten rows each, or of numbers"
        raise SettingsError(f"fairness.control names '{name}', which cannot be cut into strata", got=name, fix=fix)
    return found
