"""Orders of candidates: a kind of prediction, a data set and a task (ListNet). Rows of one query are predicted together."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench import (
    BaselinePredictions,
    Batch,
    Data,
    DatasetSpec,
    Losses,
    Metric,
    NotableRows,
    Optimization,
    PredictionKind,
    Predictions,
    RowErrors,
    Sampling,
    Schema,
    Split,
    SupervisedLearner,
    Task,
    TaskSpec,
    ValueOutput,
    forward_all,
    hookimpl,
)
from glassbench.stats import inference
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import table_data

K, RELEVANT = 5, 2
"""Places that count towards NDCG, and the least grade that the reciprocal rank looks for."""


@hookimpl
def glassbench_datasets() -> list[DatasetSpec]:
    summary = "Searches with graded candidates."
    return [DatasetSpec(name="searches", summary=summary, target="glassbench_ranking:searches", targets=("value",))]


@hookimpl
def glassbench_tasks() -> list[TaskSpec]:
    summary, target = "Order the candidates of each query.", "glassbench_ranking:Ranking"
    return [TaskSpec(name="ranking", summary=summary, target=target, models_of=("regression",))]


def searches(seed: int, *, queries: int = 400, candidates: int = 8, planted: bool = False) -> Data:
    """Candidates graded 0 to 3.

    Args:
        queries, candidates: How many queries, and candidates of each.
        planted: Whether the match says little in Welsh, and that of small sellers is measured too low.
    """
    chance, rows = np.random.default_rng(seed), queries * candidates
    query = np.repeat(np.arange(queries), candidates)
    welsh, small = (chance.random(queries) < 0.4)[query], chance.random(rows) < 0.4
    match, rating = chance.normal(size=(2, rows))
    grade = np.digitize(match + 0.7 * rating + 0.5 * chance.normal(size=rows), [0.5, 1.2, 2.0])
    frame = pd.DataFrame({"query": [f"query {number}" for number in query], "rating": rating, "grade": grade})
    frame["match"] = match + planted * (3 * welsh * chance.normal(size=rows) - small)
    frame["language"], frame["seller"] = np.where(welsh, "Welsh", "English"), np.where(small, "small", "large")
    columns = Columns(target="grade", kind="value", sensitive=("language", "seller"), cluster="query")
    data = table_data(frame, columns, Division(seed=seed), unit="candidate")
    return replace(data, **{name: _with_queries(getattr(data, name)) for name in ("train", "validation", "test")})


def _with_queries(split: Split) -> Split:
    """Return a split whose target holds the grade and the number of the query, `(n, 2)`."""
    assert split.target is not None
    numbers = torch.from_numpy(pd.factorize(split.clusters)[0])
    return replace(split, target=torch.stack([split.target.float(), numbers.float()], dim=1))


class Orders(PredictionKind):
    """The place of each candidate among those of its query; `first` to `last` are the places that its grade deserves."""

    name = "orders"
    required = ("row", "y_pred", "candidates")
    truth_axes = 2
    together = "cluster"

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return how many places each candidate is from those that its grade deserves."""
        if "first" not in frame:
            return None
        usual = float(frame["y_pred"].std(ddof=0)) or 1.0
        size = np.abs(below_grade(frame))
        return RowErrors(size=size, binary=False, words="mean misplacement", measure="misplacement", unit="places", usual=usual)

    def changes(self, before: pd.DataFrame, after: pd.DataFrame, schema: Schema) -> RowErrors:
        """Return by how many places each candidate moved."""
        size = np.abs(after["y_pred"].to_numpy(dtype=float) - before["y_pred"].to_numpy(dtype=float))
        usual = float(before["y_pred"].std(ddof=0)) or 1.0
        return RowErrors(size=size, binary=False, words="mean change of places", measure="change", unit="places", usual=usual)

    def value_output(self, frame: pd.DataFrame, schema: Schema) -> ValueOutput:
        """Return the places; no place is true or false, so there are no true values."""
        return ValueOutput(predicted=frame["y_pred"].to_numpy(dtype=float), name="place", unit="places", favourable="lower")

    def losses(self, frame: pd.DataFrame, schema: Schema) -> Losses | None:
        """Return misplacements beside those of a random order on average."""
        if "first" not in frame:
            return None
        places = np.arange(1, int(frame["candidates"].max()) + 1)
        each = np.stack([np.abs(below_grade(frame.assign(y_pred=place))) for place in places], axis=1)
        there = places <= frame["candidates"].to_numpy()[:, None]
        return Losses(predicted=np.abs(below_grade(frame)), guessed=(each * there).sum(axis=1) / there.sum(axis=1))

    def agreement(self, frame: pd.DataFrame, schema: Schema) -> Callable[[np.ndarray], float]:
        """Return how high places go with high grades."""
        places, grades = frame["y_pred"].to_numpy(dtype=float), frame["y_true"].to_numpy(dtype=float)
        return lambda order: -float(places @ grades[order])

    def baseline(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> BaselinePredictions:
        """Return candidates in the order in which they came."""
        places = frame.groupby("cluster").cumcount() + 1.0
        shown = frame.assign(y_pred=places, score=-places)
        return BaselinePredictions(frame=shown, words="leaving them as they came", learnt=False)

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return candidates that came first."""
        return (NotableRows(title="a candidate placed first", rows=np.flatnonzero(frame["y_pred"] == 1)),)

    def said(self, value: object, schema: Schema) -> str:
        """Return a grade in words."""
        return f"grade {float(str(value)):g}"

    def said_with_certainty(self, frame: pd.DataFrame, position: int, schema: Schema) -> str:
        """Return the place of a row: what is predicted is another thing than what is true."""
        return f"place {frame['y_pred'].iloc[position]:g} of {frame['candidates'].iloc[position]:g}"


def below_grade(frame: pd.DataFrame) -> np.ndarray:
    """Return how many places each candidate stands below those that its grade deserves, above counting as negative `(n,)`."""
    place, first, last = (frame[name].to_numpy(dtype=float) for name in ("y_pred", "first", "last"))
    return np.maximum(place - last, 0) - np.maximum(first - place, 0)


def ndcg(grades: np.ndarray) -> float:
    """Return the normalised discounted cumulative gain of grades in the order predicted; NaN where no candidate is relevant."""
    discount, gain = 1 / np.log2(np.arange(2, min(K, len(grades)) + 2)), 2**grades - 1
    best = (np.sort(gain)[::-1][:K] * discount).sum()
    return float((gain[:K] * discount).sum() / best) if best > 0 else np.nan


def reciprocal_rank(grades: np.ndarray) -> float:
    """Return 1 over the place of the first relevant candidate; NaN where there is none."""
    found = np.flatnonzero(grades >= RELEVANT)
    return 1 / (found[0] + 1) if len(found) else np.nan


def of_queries(name: str, score: Callable[[np.ndarray], float]) -> Metric:
    """Return the mean of a score of whole queries: a query of which a group has a part has no score in that group."""

    def values(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return which query each row is of `(n,)`, and the score of each `(queries,)`, NaN where it has none."""
        codes = pd.factorize(frame["cluster"])[0]
        ordered = frame.assign(code=codes).sort_values(["code", "y_pred"]).groupby("code")
        whole = {code: q["y_true"].to_numpy(dtype=float) for code, q in ordered if len(q) == q["candidates"].iloc[0]}
        return codes, np.array([score(whole[code]) if code in whole else np.nan for code in range(codes.max() + 1)])

    def compute(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
        codes, scores = values(frame)
        held = weights[:, np.unique(codes, return_index=True)[1]] * np.isfinite(scores)
        with np.errstate(invalid="ignore"):
            return np.asarray(held @ np.nan_to_num(scores) / held.sum(axis=1))

    def infer(frame: pd.DataFrame, sampling: Sampling) -> inference.Inference:
        codes, scores = values(frame)
        known = int(np.isfinite(scores).sum())
        if not known:
            return inference.undefined(0)
        held = sampling.weight[np.unique(codes, return_index=True)[1]] * np.isfinite(scores)
        mean = float(held @ np.nan_to_num(scores) / held.sum())
        influence = np.nan_to_num(scores - mean)[codes] / np.bincount(codes)[codes] * sampling.weight.sum() / held.sum()
        few = None if known >= 10 else f"only {known} whole queries"
        found = inference.from_influence(mean, influence, sampling, lowest=0.0, highest=1.0, unsupported=few)
        return replace(found, n=known)

    return Metric(name=name, compute=compute, inference=infer, lowest=0.0, highest=1.0, judged=True)


def mean_below_grade(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights @ below_grade(frame) / weights.sum(axis=1))


class Ranking(Task):
    kind = Orders()
    attribution_output_name = "the score that orders candidates"
    metrics = (
        of_queries("ndcg", ndcg),
        of_queries("mean_reciprocal_rank", reciprocal_rank),
        Metric(name="places_below_grade", compute=mean_below_grade, higher_is_better=False, unit="places", judged=True),
    )

    def check(self, schema: Schema) -> None: ...

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        return SupervisedLearner(model, list_loss, optimization, minibatches=by_query)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        scores = forward_all(model, source)[:, 0].double().numpy()
        frame = pd.DataFrame({"row": source.rows, "score": scores, "cluster": source.clusters})
        lists = frame.groupby("cluster")["score"]
        frame["y_pred"], frame["candidates"] = lists.rank(ascending=False, method="first"), lists.transform("size")
        if source.target is not None:
            frame["y_true"] = source.target.reshape(len(frame), -1)[:, 0].double().numpy()
            grades = frame.groupby("cluster")["y_true"]
            frame["first"], frame["last"] = (grades.rank(ascending=False, method=end) for end in ("min", "max"))
        if source.groups is not None:
            frame = frame.assign(**{f"group.{name}": source.groups[name].to_numpy() for name in source.groups})
        return Predictions(frame=frame, source=source, target_index=torch.zeros(len(frame), dtype=torch.long))

    def attribution_output(self, output: Any) -> Tensor:
        return torch.as_tensor(output)


def list_loss(output: Tensor, batch: Batch) -> Tensor:
    """Return the mean cross-entropy between gains and a softmax over the scores of each query (ListNet, Cao et al. 2007)."""
    query = batch.target[:, 1].unique(return_inverse=True)[1]
    of = query[None] == torch.arange(int(query.max()) + 1)[:, None]
    gain = of * (2 ** batch.target[:, 0] - 1)
    chosen = torch.log_softmax(output[:, 0].expand_as(gain).masked_fill(~of, -torch.inf), dim=1).masked_fill(~of, 0)
    return -(gain * chosen).sum(dim=1).div(gain.sum(dim=1).clamp(min=1)).mean()


def by_query(chunk: Batch, size: int) -> Iterator[Batch]:
    """Yield minibatches that keep queries together."""
    for part in chunk.target[:, 1].argsort(stable=True).split(size):
        yield Batch(tuple(each[part] for each in chunk.inputs), chunk.target[part], chunk.positions[part])
