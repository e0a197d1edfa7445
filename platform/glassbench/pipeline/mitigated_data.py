"""Data and encoders with the inputs that mitigations change, and an account of what they did."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pandas as pd
from torch import nn

from glassbench.contracts.data import Data, Encoder, Episodes, Split
from glassbench.contracts.mitigation import Facts, Mitigation
from glassbench.contracts.schema import Schema
from glassbench.contracts.specs import MitigationSpec
from glassbench.contracts.task import Task
from glassbench.errors import DataError
from glassbench.experiments.mitigations import Mitigations

MITIGATIONS = "mitigations.json"
"""What mitigations need to change inputs, read off the training rows."""


def fitted_inputs(mitigations: Sequence[Mitigation], data: Data) -> list[Facts | None]:
    """Return what each mitigation needs to change inputs, fitted in order to the training rows; None for one that does not."""
    found: list[Facts | None] = []
    train = data.train
    for one in mitigations:
        facts = one.fit_inputs(train, data.schema) if isinstance(train, Split) else None
        train = train if facts is None or not isinstance(train, Split) else one.transform(train, facts)
        found.append(facts)
    return found


def transformed(split: Split, mitigations: Sequence[Mitigation], facts: Sequence[Facts | None]) -> Split:
    """Return rows with the inputs that mitigations change."""
    for one, found in zip(mitigations, facts, strict=True):
        split = split if found is None else one.transform(split, found)
    return split


def with_inputs(data: Data, mitigations: Sequence[Mitigation], facts: Sequence[Facts | None]) -> Data:
    """Return data with the inputs that mitigations change, in all splits and in what the encoder makes of raw rows."""
    if all(found is None for found in facts):
        return data
    parts = (data.train, data.validation, data.test)
    train, validation, test = (transformed(p, mitigations, facts) if isinstance(p, Split) else p for p in parts)
    assert train is not None
    assert test is not None
    encoder = None if data.encoder is None else cast(Encoder, TransformingEncoder(data.encoder, mitigations, facts))
    return replace(data, train=train, validation=validation, test=test, encoder=encoder)


def with_training_rows(data: Data, mitigations: Sequence[Mitigation], seed: int) -> Data:
    """Return data with the training rows that mitigations weigh or draw again, or with the episodes that they pay otherwise.

    What is judged by stays as it is.
    """
    train, validation = data.train, data.validation
    for one in mitigations:
        train = one.training_rows(train, data.schema, seed) if isinstance(train, Split) else _episodes(train, one, data.schema)
        validation = _episodes(validation, one, data.schema)
    return replace(data, train=train, validation=validation)


def _episodes(source: Any, mitigation: Mitigation, schema: Schema) -> Any:
    """Return episodes as a mitigation pays them; anything else as it is."""
    return mitigation.training_episodes(source, schema) if isinstance(source, Episodes) else source


def wrapped(model: Any, mitigations: Sequence[Mitigation], data: Data | None) -> Any:
    """Return an unfitted estimator as mitigations wrap it, to be fitted to data; a network as it is."""
    for one in () if isinstance(model, nn.Module) else mitigations:
        model = one.wrap(model, data)
    return model


def check_mitigations(chosen: Mitigations, data: Data, task: Task, model: Any) -> None:
    """Make sure that mitigations can serve data, task and model.

    Raises:
        DataError: One cannot.
    """
    validation = data.validation
    known = isinstance(validation, Split) and len(validation) > 0 and validation.target is not None
    for choice, one in zip(chosen.choices, chosen.made(), strict=True):
        if one.decides and not known:
            raise DataError(
                f"the mitigation '{choice.component.spec.name}' is fitted to validation rows, and there are none",
                got="no validation rows with a known outcome",
                fix="let the data set keep a share of its rows for validation",
            )
        if isinstance(data.train, Episodes) and type(one).training_episodes is Mitigation.training_episodes:
            raise DataError(
                f"the mitigation '{choice.component.spec.name}' cannot serve episodes: it acts on rows",
                got=choice.component.spec.name,
                fix="choose one that changes what episodes pay, or leave it out",
            )
        one.check(data, task, model)


def accounts(chosen: Mitigations, data: Data, facts: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return what each mitigation did, with what its spec says, JSON values for provenance and report."""
    found = []
    for choice, one, known in zip(chosen.choices, chosen.made(), facts, strict=True):
        spec = cast(MitigationSpec, choice.component.spec)
        words = {"when": spec.when, "assumes": spec.assumes, "caution": spec.caution}
        found.append({"use": choice.component.canonical, "done": one.account(data, known), **words})
    return found


class TransformingEncoder:
    """An encoder whose rows get the inputs that mitigations change; all else is the encoder's own.

    Args:
        encoder: The encoder.
        mitigations: What changes inputs, in order.
        facts: What each needs; None for one that does not change them.
    """

    def __init__(self, encoder: Encoder, mitigations: Sequence[Mitigation], facts: Sequence[Facts | None]) -> None:
        self._encoder, self._mitigations, self._facts = encoder, mitigations, facts

    def __getattr__(self, name: str) -> Any:
        """Whatever else the encoder offers."""
        return getattr(self.__dict__["_encoder"], name)

    def encode(self, raw: pd.DataFrame) -> Split:
        """Encode raw rows, then change their inputs."""
        return transformed(self._encoder.encode(raw), self._mitigations, self._facts)
