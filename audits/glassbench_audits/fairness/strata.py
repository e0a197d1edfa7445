"""Strata: rows that share the values of the control features, looked at on their own."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from glassbench.errors import SettingsError, suggest
from glassbench.subject import Subject
from glassbench.task import Predictions
from glassbench_audits.fairness.groups import Group, columns, mixed, product_groups


def check_control(subject: Subject, control: Sequence[str]) -> None:
    """Make sure that control features are sensitive features of the data, and leave another to compare.

    Raises:
        SettingsError: One is not, or none would be left.
    """
    known = [str(name) for name in subject.predictions.groups.columns]
    for name in control:
        if name not in known:
            raise SettingsError(
                f"fairness.control names '{name}', which is no sensitive feature of the data",
                got=name,
                available=known,
                fix=suggest(name, known) or "name it among the data set's sensitive features",
            )
    if control and set(control) == set(known):
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
        control: Sensitive features to hold fixed.
        most: The most strata.
    """
    if not control:
        return
    frame = subject.predictions.frame
    features = columns(subject.predictions.groups[list(control)])
    codes = mixed([f.codes for f in features], [len(f.values) for f in features])
    names = product_groups(features)
    present = np.flatnonzero(np.bincount(codes, minlength=len(names)))
    if len(present) > most:
        return
    rest = frame.drop(columns=[f"group.{name}" for name in control])
    for place in present.tolist():
        rows = rest[codes == place].reset_index(drop=True)
        yield names[place], replace(subject, predictions=Predictions(frame=rows))
