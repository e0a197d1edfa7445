"""Tasks that take decisions as they were made elsewhere."""

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.class_codes import class_codes
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions, Task
from glassbench.errors import DataError, GlassbenchError
from glassbench_plugins.predictions.columns import DECISION, SCORE
from glassbench_plugins.supervised.metrics import MEAN_ABSOLUTE_ERROR, R2, RATES, ROOT_MEAN_SQUARED_ERROR, SCORES
from glassbench_plugins.supervised.rows import frame_of


class GivenClasses(Task):
    """Takes classes as they were decided elsewhere; where scores are known, these are judged too."""

    kind = Classes()

    def __init__(self) -> None:
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Accuracy first; what needs scores is there until a schema says there are none."""
        scored = self._schema is None or self._schema.scored
        return (*RATES, *SCORES) if scored else RATES

    def check(self, schema: Schema) -> None:
        """Keep the schema."""
        _check_kind(schema, "class")
        self._schema = schema

    def predict(self, model: Any, source: Any) -> Predictions:
        """Return the rows with the decisions they came with."""
        assert isinstance(source, Split)
        assert source.raw is not None
        assert self._schema is not None
        names, columns = self._schema.target.classes, {}
        if SCORE in source.raw:
            score = source.raw[SCORE].to_numpy(dtype=float)
            columns = {f"score.{names[0]}": 1 - score, f"score.{names[1]}": score}
        told = pd.Index(sorted(names))
        truth = None if source.target is None else _named(source.target.numpy(), names, told)
        decision = _named(class_codes(source.raw[DECISION], names), names, told)
        return Predictions(frame=frame_of(source, truth, decision, pd.DataFrame(columns)), source=source)

    def learner(self, *_: Any) -> NoReturn:
        """Refuse: nothing is learnt."""
        _refuse()

    def attribution_output(self, output: Any) -> NoReturn:
        """Refuse: there is no model to explain."""
        _refuse()


class GivenValues(Task):
    """Takes numbers as they were predicted elsewhere."""

    kind = Values()
    metrics = (MEAN_ABSOLUTE_ERROR, ROOT_MEAN_SQUARED_ERROR, R2)

    def check(self, schema: Schema) -> None:
        """Make sure that the rows hold values."""
        _check_kind(schema, "value")

    def predict(self, model: Any, source: Any) -> Predictions:
        """Return the rows with the values they came with."""
        assert isinstance(source, Split)
        assert source.raw is not None
        value = source.raw[DECISION].to_numpy(dtype=float)
        truth = None if source.target is None else source.target.numpy()
        return Predictions(frame=frame_of(source, truth, value, pd.DataFrame({"score": value})), source=source)

    def learner(self, *_: Any) -> NoReturn:
        """Refuse: nothing is learnt."""
        _refuse()

    def attribution_output(self, output: Any) -> NoReturn:
        """Refuse: there is no model to explain."""
        _refuse()


def _named(codes: np.ndarray, names: Sequence[str], told: pd.Index) -> pd.Categorical:
    """Return classes by their place among names `(n,)`, -1 for none, as categories: a text per row takes ten times the place."""
    places = np.append(told.get_indexer(pd.Index(names)), -1).astype(np.int32)
    return pd.Categorical.from_codes(places[codes], categories=told)


def _check_kind(schema: Schema, kind: str) -> None:
    if schema.target.kind != kind:
        other = "given-values" if kind == "class" else "given-classes"
        raise DataError(f"the task takes a {kind}, '{schema.target.name}' is a {schema.target.kind}", fix=f"use '{other}'")


def _refuse() -> NoReturn:
    raise GlassbenchError("decisions made elsewhere have no model", fix="choose a task that is learnt")
