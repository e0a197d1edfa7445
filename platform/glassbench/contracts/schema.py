"""What rows are: Feature, Target, Schema."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, TypeVar

from glassbench.contracts.facts import Facts, facts_from_json
from glassbench.contracts.layout import LAYOUTS, Layout

MISSING = "missing"
"""The group of rows whose sensitive value is absent: a group of its own, never dropped."""


KnownFacts = TypeVar("KnownFacts", bound=Facts)

Modality = Literal["table", "image", "text", "series", "audio", "observation"]


TargetKind = Literal["class", "labels", "value", "token", "sequence", "mask", "boxes", "ranking", "none"]


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One input as a person knows it.

    Args:
        name: The column, channel or observation entry.
        kind: How its values read.
        columns: Positions along the last axis of an encoded row that carry it; attributions are summed over them.
        unit: Unit of the raw value, if any.
        decimals: Digits after the point with which the raw value is shown; None shows four significant ones.
        categories: Raw values, in column order, of a category.
    """

    name: str
    kind: Literal["number", "category"] = "number"
    columns: tuple[int, ...] = ()
    unit: str | None = None
    decimals: int | None = None
    categories: tuple[str, ...] = ()

    @property
    def categorical(self) -> bool:
        """Whether its values are categories."""
        return self.kind == "category"

    @property
    def numeric(self) -> bool:
        """Whether it is one number in one place of an encoded row."""
        return self.kind == "number" and len(self.columns) == 1


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is to be predicted.

    Args:
        name: The column, or what the prediction is called.
        kind: `class` (one of `classes`), `labels` (any number of `classes`), `value` (a number), `token` (the next of `classes`),
            `sequence` (several of `classes`, one after the other), `mask` (one of `classes` for every pixel), `boxes` (any number
            of boxes, each with one of `classes`), `ranking` (some of `classes`, the best first), `none` (nothing given:
            clustering, density, a policy).
        classes: Names in index order; the labels; for a policy its actions.
        positive: The class whose rates a binary audit speaks of.
        favourable: The outcome that is good for a person: one or several of `classes`, `higher` or `lower` of a value, of labels
            also `not <label>`; None where it was not named. `positive.favourable_classes` also asks the classes' names.
        unit: Unit of a value.
        decimals: Digits after the point with which a value is shown; None shows four significant ones.
        levels: The quantiles that a model gives of a value, in rising order; empty where it gives the value itself. A task that
            wants them says so (`Task.model_schema`).
        width: How many numbers a task wants of a model per row, where neither classes nor levels tell.
    """

    name: str
    kind: TargetKind
    classes: tuple[str, ...] = ()
    positive: str | None = None
    favourable: str | tuple[str, ...] | None = None
    unit: str | None = None
    decimals: int | None = None
    levels: tuple[float, ...] = ()
    width: int | None = None

    @property
    def outputs(self) -> int:
        """How many numbers a model gives per row: one for each class or quantile, one for a value, or as many as a task wants."""
        return self.width or len(self.classes) or len(self.levels) or 1


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What a model and an audit must know about the rows without seeing them.

    Args:
        modality: What kind of thing one row is.
        shape: Shape of one encoded row; None where it varies.
        target: What is to be predicted.
        features: Inputs as a person knows them; empty where encoded columns carry no names (pixels, tokens).
        sensitive: Names of the sensitive features, the columns of `Split.groups`.
        conditions: Those of `sensitive` that tell under which conditions a row arose and that nobody belongs to: brightness of a
            picture, day of the week, a factor of an environment. Parity of decisions is not asked of them.
        unequal: Those of `conditions` that the task itself makes unequal, as opponents of different strength. The audit
            `fairness` compares nothing by them: a gap would say nothing of the model.
        unit: What one row is, in the singular ("patient", "image", "step").
        facts: What is known of rows of this modality besides (`glassbench.contracts.facts`); None where nothing is.
        scored: Whether predictions come with scores; decisions made elsewhere may come without.
    """

    modality: Modality
    shape: tuple[int | None, ...]
    target: Target
    features: tuple[Feature, ...] = ()
    sensitive: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    unequal: tuple[str, ...] = ()
    unit: str = "row"
    facts: Facts | None = None
    scored: bool = True

    def __post_init__(self) -> None:
        """Refuse facts of another modality."""
        if self.facts is not None and self.facts.modality != self.modality:
            raise ValueError(f"{type(self.facts).__name__} speaks of {self.facts.modality} rows, not of {self.modality} rows")

    def facts_of(self, kind: type[KnownFacts]) -> KnownFacts | None:
        """Return the facts if they are of that class, else None."""
        return self.facts if isinstance(self.facts, kind) else None

    @property
    def layout(self) -> Layout:
        """What the inputs of a row are."""
        return LAYOUTS[self.modality]

    def to_json(self) -> dict[str, Any]:
        """Return the schema as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild a schema from `to_json`."""
        features = tuple(
            Feature(**{**f, "columns": tuple(f["columns"]), "categories": tuple(f["categories"])}) for f in content["features"]
        )
        target = _target_from_json(content["target"])
        known = {
            **content,
            "shape": tuple(content["shape"]),
            "features": features,
            "target": target,
            "sensitive": tuple(content["sensitive"]),
            "conditions": tuple(content.get("conditions", ())),
            "unequal": tuple(content.get("unequal", ())),
            "facts": facts_from_json(content["modality"], content["facts"]),
        }
        return cls(**known)


def _target_from_json(content: Mapping[str, Any]) -> Target:
    favourable = content.get("favourable")
    favourable = tuple(favourable) if isinstance(favourable, list) else favourable
    named = {name: tuple(content.get(name, ())) for name in ("classes", "levels")}
    return Target(**{**content, **named, "favourable": favourable})
