"""What the columns of a table mean: what is predicted, audited by, left out, and how cells read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import MARKS, Cells, ColumnReading, Strange
from glassbench.toolkit.cells.columns import require_columns
from glassbench.toolkit.cells.groups import Band, sensitive_column, sensitive_name
from glassbench.toolkit.cells.kinds import Asked, Kind
from glassbench.toolkit.cells.numerals import Mark
from glassbench.toolkit.table.label_columns import LabelColumns

TargetKind = Literal["class", "value", "auto"]
Scale = Literal["standard", "none"]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the columns of a table mean.

    Args:
        target: The column to be predicted; None where nothing is (clusters, densities), or several labels are.
        label_columns: The labels to be predicted, any number per row; None where one target is.
        kind: `class`, `value`, or `auto`: classes when the target is text or at most 10 different whole numbers.
        classes: Names of the classes in index order; by default sorted, as numbers where all are.
        positive: The class whose rates a binary audit speaks of; by default of two the one that is no plain no, else the last.
        favourable: The outcome that is good for a person: a class or several, or `higher` or `lower` of a value.
        sensitive: Features to audit by: a column's name, or a number cut into bands.
        sensitive_as_input: Whether the model may see the sensitive columns.
        cluster: A column, such as a person's number, whose rows with the same value are not independent: they go into the same
            split, and audits resample them together; no input.
        weight: A column of survey or sample weights, 0 or above; no input.
        drop: Columns to leave out; they may still be sensitive.
        types: Kinds of columns, where inference is wrong.
        missing: Texts that mean a value is missing.
        strip_end: Characters taken off the end of every text.
        decimal: What stands before fractions, where the table does not tell.
        strange: What becomes of cells in columns of numbers that are none.
        scale: Whether numbers are standardised (`standard`) or kept in their own units (`none`).
        max_categories: Most encoded columns of a category; rarer categories leave all of them 0.
        units, decimals: Units of columns, the target's too, and digits after the point with which their values are shown.
        read: How the cells of single columns read, once the table was looked at.
    """

    target: str | None = None
    label_columns: LabelColumns | None = None
    kind: TargetKind = "auto"
    classes: tuple[str, ...] = ()
    positive: str | None = None
    favourable: str | tuple[str, ...] | None = None
    sensitive: tuple[str | Band, ...] = ()
    sensitive_as_input: bool = False
    cluster: str | None = None
    weight: str | None = None
    drop: tuple[str, ...] = ()
    types: Mapping[str, Kind] = field(default_factory=dict)
    missing: tuple[str, ...] = MARKS
    strip_end: str = ""
    decimal: Mark | None = None
    strange: Strange = "refuse"
    scale: Scale = "standard"
    max_categories: int = 50
    units: Mapping[str, str] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    read: Mapping[str, ColumnReading] = field(default_factory=dict)

    @property
    def cells(self) -> Cells:
        """How raw cells read."""
        return Cells(missing=self.missing, strip_end=self.strip_end, columns=self.read)

    @property
    def asked(self) -> Asked:
        """What a person says about how columns read."""
        kinds: dict[str, Kind] = {}
        for feature in self.sensitive:
            if not isinstance(feature, str):
                kinds[sensitive_column(feature)] = "number"
            elif not self.sensitive_as_input:
                kinds.setdefault(feature, "category")
        if self.target is not None and self.kind != "auto":
            kinds[self.target] = "category" if self.kind == "class" else "number"
        if self.label_columns is not None:
            kinds |= dict.fromkeys(self.label_columns.columns, "category")
        return Asked(kinds={**self.types, **kinds}, decimal=self.decimal, strange=self.strange)

    @property
    def kept_out(self) -> set[str]:
        """Columns that are no inputs."""
        hidden = set() if self.sensitive_as_input else {sensitive_column(feature) for feature in self.sensitive}
        named = {name for name in (*self.targets, self.cluster, self.weight) if name}
        return hidden | named | set(self.drop)

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that hold what is to be predicted."""
        return self.label_columns.columns if self.label_columns is not None else (self.target,) if self.target else ()

    def check(self, frame: pd.DataFrame) -> None:
        """Raise `DataError` when a table is empty or lacks a column that is named here."""
        if frame.empty:
            raise DataError("the table is empty", got=f"{len(frame)} rows, {frame.shape[1]} columns")
        twice = frame.columns[frame.columns.duplicated()]
        if len(twice):
            raise DataError(f"two columns are called '{twice[0]}'", fix="rename one of them")
        self._refuse_two_purposes()
        names = [sensitive_name(feature) for feature in self.sensitive]
        if len(set(names)) < len(names):
            raise DataError("two sensitive features have the same name", got=", ".join(names), fix="give one a name")
        require_columns(frame.columns, self.targets, "dataset.target")
        require_columns(frame.columns, [sensitive_column(feature) for feature in self.sensitive], "dataset.sensitive")
        require_columns(frame.columns, [self.cluster] if self.cluster else [], "dataset.cluster")
        require_columns(frame.columns, [self.weight] if self.weight else [], "dataset.weight")
        require_columns(frame.columns, self.drop, "dataset.drop")
        require_columns(frame.columns, self.types, "dataset.types")

    def _refuse_two_purposes(self) -> None:
        """Raise `DataError` when the target is named for another purpose too."""
        sensitive = {sensitive_column(feature) for feature in self.sensitive}
        others = (
            (sensitive, "a sensitive feature", "leave it out of dataset.sensitive"),
            (set(self.drop), "dropped", "leave it out of dataset.drop, or name another target"),
            ({self.cluster}, "the cluster", "name another column as dataset.cluster"),
            ({self.weight}, "the weight", "name another column as dataset.weight"),
        )
        for columns, purpose, fix in others:
            for target in self.targets:
                if target in columns:
                    raise DataError(f"'{target}' is both the target and {purpose}", got=target, where="dataset", fix=fix)
