"""What every data set promises."""

import json
from collections.abc import Callable
from typing import Any

import torch

from glassbench.contracts.data import Data, Encoder, Split
from glassbench.contracts.schema import Schema
from glassbench.experiments.settings import settings_model
from glassbench.runs.provenance import fingerprint


def check_dataset(
    function: Callable[..., Any], *, encoder: type[Encoder] | None = None, seeded: bool = True, **settings: Any
) -> Data:
    """Check that a data set keeps its promises, and return it.

    Args:
        function: The component, `(seed, *, settings...)`.
        encoder: The class its spec names as `encoder`, if any.
        seeded: Whether the seed decides which rows are in which split or what is generated; not so where a data set brings
            splits of its own.
        settings: Settings to read it with.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    settings_model(function)
    data = function(3, **settings)
    assert isinstance(data, Data), f"a data set returns Data, got {type(data).__name__}"
    assert fingerprint(splits(data)) == fingerprint(splits(function(3, **settings))), "the same seed must give the same data"
    if seeded:
        other = function(4, **settings)
        assert fingerprint(splits(data)) != fingerprint(splits(other)), (
            "another seed must give other splits (or set `seeded=False`)"
        )
    _check_target(data.schema)
    _check_features(data.schema)
    assert Schema.from_json(json.loads(json.dumps(data.schema.to_json()))) == data.schema, "the schema must survive JSON"
    for name, split in splits(data).items():
        _check_split(name, split, data.schema)
    _check_apart(data)
    if encoder is not None:
        _check_encoder(data, encoder)
    return data


def splits(data: Data) -> dict[str, Split]:
    """Return the splits there are, by name."""
    named = {"train": data.train, "validation": data.validation, "test": data.test}
    return {name: split for name, split in named.items() if isinstance(split, Split)}


def _check_target(schema: Schema) -> None:
    target, classes = schema.target, schema.target.classes
    assert len(set(classes)) == len(classes), "the names of classes must differ"
    assert target.positive is None or target.positive in classes, f"the positive class '{target.positive}' is none of {classes}"


def _check_features(schema: Schema) -> None:
    names = [feature.name for feature in schema.features]
    assert len(set(names)) == len(names), "the names of features must differ"
    width = schema.shape[0] if len(schema.shape) == 1 and schema.modality == "table" else None
    taken = [encoded_column for feature in schema.features for encoded_column in feature.columns]
    if width is not None and names:
        assert sorted(taken) == list(range(int(width))), f"features must share the {width} columns of the inputs, each once"


def _check_split(name: str, split: Split, schema: Schema) -> None:
    assert len(split), f"{name}: a split has rows"
    batch = split.batch(slice(0, 16))
    first = batch.inputs[0]
    shape = tuple(first.shape[1:])
    fits = len(shape) == len(schema.shape) and all(want in (None, got) for want, got in zip(schema.shape, shape, strict=True))
    assert fits, f"{name}: rows have the shape {shape}, the schema says {schema.shape}"
    finite = all(torch.isfinite(t).all() for t in batch.inputs if t.is_floating_point())
    assert finite, f"{name}: inputs must be finite"
    if schema.target.kind == "class" and split.target is not None:
        inside = bool((split.target >= 0).all() and (split.target < len(schema.target.classes)).all())
        assert inside, f"{name}: the truth must be an index of a class"
    columns = () if split.groups is None else tuple(split.groups.columns)
    assert columns == schema.sensitive, f"{name}: the groups {columns} are not the schema's {schema.sensitive}"
    if split.groups is not None:
        texts = split.groups.map(lambda value: isinstance(value, str)).to_numpy().all()
        assert texts, f"{name}: groups are text; an absent value reads 'missing'"


def _check_apart(data: Data) -> None:
    rows = [set(split.rows.tolist()) for split in splits(data).values()]
    assert sum(map(len, rows)) == len(set().union(*rows)), "no row may be in two splits, and ids must be unique"


def _check_encoder(data: Data, kind: type[Encoder]) -> None:
    assert data.encoder is not None, "the spec names an encoder, but the data have none"
    restored = kind.from_json(json.loads(json.dumps(data.encoder.to_json())))
    assert isinstance(data.test, Split)
    assert data.test.raw is not None, "rows that can be encoded again must be kept raw"
    again = restored.encode(data.test.raw).batch(slice(None)).inputs
    same = all(torch.equal(a, b) for a, b in zip(again, data.test.batch(slice(None)).inputs, strict=True))
    assert same, "raw rows encoded again must give the same inputs"
