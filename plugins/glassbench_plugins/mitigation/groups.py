"""Groups that mitigations act on: those of one sensitive feature, or the combinations of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema
from glassbench.errors import DataError, SettingsError, shorten, suggest


@dataclass(frozen=True)
class Groups:
    """The groups that training or validation rows are of.

    Args:
        features: The sensitive features that are combined.
        names: Each group as its values of these features.
    """

    features: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, features: Sequence[str]) -> Self:
        """Return the groups of rows, in the order of their names."""
        columns = [frame[name].astype(str) for name in features]
        return cls(tuple(features), tuple(sorted(set(zip(*columns, strict=True)))))

    def codes(self, frame: pd.DataFrame | None) -> np.ndarray:
        """Return the group of each row, a place among `names`, int64 `(n,)`; -1 of a group that is not among them.

        Raises:
            DataError: The rows come without a sensitive feature.
        """
        present = [] if frame is None else list(map(str, frame.columns))
        missing = [name for name in self.features if name not in present]
        if missing or frame is None:
            raise DataError(
                f"the decision needs the sensitive feature '{missing[0]}' of each row",
                got=f"rows with {shorten(present, 10)}" if present else "rows without sensitive features",
                fix=f"add the column '{missing[0]}', with the values that the training rows had",
            )
        known = pd.MultiIndex.from_tuples(self.names)
        asked = pd.MultiIndex.from_arrays([frame[name].astype(str) for name in self.features])
        return np.asarray(known.get_indexer(asked), dtype=np.int64)

    def words(self, place: int) -> str:
        """Return a group as a person reads it."""
        return " / ".join(self.names[place])

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` needs."""
        return {"features": list(self.features), "names": [list(name) for name in self.names]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild groups from `to_json`."""
        return cls(tuple(map(str, content["features"])), tuple(tuple(map(str, name)) for name in content["names"]))


def chosen_features(features: Sequence[str] | None, schema: Schema, mitigation: str) -> tuple[str, ...]:
    """Return the sensitive features that a mitigation acts on: those named, or all.

    Raises:
        SettingsError: One that is named is no sensitive feature of the data.
    """
    if features is None:
        return schema.sensitive
    for name in features:
        if name not in schema.sensitive:
            raise SettingsError(
                f"the mitigation '{mitigation}' names '{name}', which is no sensitive feature of the data",
                where="mitigations",
                got=name,
                available=schema.sensitive,
                fix=suggest(name, schema.sensitive) or "name it under dataset.sensitive",
            )
    if not features:
        raise SettingsError(f"the mitigation '{mitigation}' names no feature", where="mitigations", got="features: []")
    return tuple(features)


def coded_rows(features: Sequence[str] | None, data: Data, mitigation: str) -> tuple[Groups, np.ndarray, np.ndarray]:
    """Return the groups of training rows, and the group of each training and each validation row; -1 for none of them.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
        data: The rows; validation rows that do not say their groups give an empty array.
        mitigation: Who asks, for messages.
    """
    train, validation = data.train, data.validation
    assert isinstance(train, Split)
    assert train.groups is not None
    groups = Groups.of(train.groups, chosen_features(features, data.schema, mitigation))
    known = isinstance(validation, Split) and validation.groups is not None
    held_out = groups.codes(validation.groups) if known and isinstance(validation, Split) else np.zeros(0, dtype=np.int64)
    return groups, groups.codes(train.groups), held_out
