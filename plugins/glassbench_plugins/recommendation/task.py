"""The task of ranking items for users."""

from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.facts import CatalogueFacts, TextFacts
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.ranked_lists import decoded_items, encoded_items, found_at, ndcg
from glassbench.contracts.predictions.rankings import Rankings
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import DataError, GlassbenchError
from glassbench.stats.settings_types import Count
from glassbench_plugins.recommendation.interactions import HISTORY
from glassbench_plugins.recommendation.measures import ranking_metrics
from glassbench_plugins.supervised.outputs import checked_width

_NEVER = -1e4
"""The score of an item that cannot be chosen."""


class Ranking(Task):
    """Recommends to each user the items that come next, the best first.

    A network gives every item a score and learns by cross-entropy between the softmax of the scores and the items that were
    chosen next. Items of a user's past are not recommended, and left out of the softmax. What is explained is the item
    recommended first.

    Args:
        places: How many items are recommended, and judged.
    """

    def __init__(self, *, places: Count = 10) -> None:
        self.places = places
        self.kind = Rankings(places=places)
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """NDCG first."""
        return ranking_metrics(self.places)

    def check(self, schema: Schema) -> None:
        """Keep the schema whose items are ranked.

        Raises:
            DataError: The target is no ranking.
        """
        target = schema.target
        if target.kind != "ranking":
            fix = "set dataset.predict to ranking" if target.kind == "value" else "choose the data set 'interactions' or 'tastes'"
            raise DataError(f"ranking needs items to choose from, but '{target.name}' is a {target.kind}", fix=fix)
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Wrap a network of `(n, items)`."""
        self.check(data.schema)
        return SupervisedLearner(model, self.row_loss, optimization, self.evaluate)

    def row_loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the mean negative log probability of each row's chosen items `(n,)`."""
        chosen, known = batch.target.clamp(min=0), batch.target >= 0
        scores = self._checked(output)
        facts = self._known().facts_of(TextFacts)
        if facts is not None and facts.catalogue is not None and batch.inputs:
            scores = scores.masked_fill(met_before(batch.inputs[0], facts.catalogue), _NEVER)
        logs = torch.log_softmax(scores, dim=1).gather(1, chosen) * known
        return -logs.sum(dim=1) / known.sum(dim=1).clamp(min=1)

    def evaluate(self, output: Tensor, truth: Tensor) -> dict[str, float]:
        """Return NDCG on held-out rows, before items of the past are left out."""
        ranked = self._checked(output).topk(min(self.places, output.shape[1]), dim=1).indices.cpu().numpy()
        relevant = truth.cpu().numpy()
        gains = ndcg(found_at(ranked, relevant), (relevant >= 0).sum(axis=1))
        return {f"ndcg_at_{self.places}": float(np.nanmean(gains)) if np.isfinite(gains).any() else 0.0}

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Rank the items of every user, those of the past left out."""
        assert isinstance(source, Split)
        items = self._known().target.classes
        scores = self._checked(forward_all(model, source)).float()
        past = _past(source, items)
        rows, places = (
            zip(*((row, place) for row, each in enumerate(past) for place in each), strict=True) if any(past) else ((), ())
        )
        scores[list(rows), list(places)] = -torch.inf
        order = scores.argsort(dim=1, descending=True, stable=True)[:, : self.places].numpy()
        left = np.isfinite(np.take_along_axis(scores.numpy(), order, axis=1))
        lists = [encoded_items([items[place] for place in each[keep]]) for each, keep in zip(order, left, strict=True)]
        columns: dict[str, Any] = {"row": source.rows}
        if source.target is not None:
            chosen = source.target.numpy()
            columns["y_true"] = [encoded_items([items[place] for place in each if place >= 0]) for each in chosen]
        columns |= {"y_pred": lists, "seen": [encoded_items([items[place] for place in sorted(each)]) for each in past]}
        beside = {"frequency": source.frequency, "weight": source.weights, "cluster": source.clusters}
        frame = pd.DataFrame({**columns, **{name: values for name, values in beside.items() if values is not None}})
        if source.groups is not None:
            frame = pd.concat([frame, source.groups.reset_index(drop=True).add_prefix("group.")], axis=1)
        return Predictions(frame=frame, source=source, target_index=torch.from_numpy(order[:, 0].astype(np.int64)))

    def attribution_output(self, output: Any) -> Tensor:
        """Return the score of every item `(n, items)`."""
        return self._checked(output)

    def _checked(self, output: Any) -> Tensor:
        return checked_width(
            output, len(self._known().target.classes), "item", fix="choose two-tower, sasrec or matrix-factorisation"
        )

    def _known(self) -> Schema:
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return self._schema


def met_before(rows: Tensor, catalogue: CatalogueFacts) -> Tensor:
    """Return which items stand in the history of each row of tokens `(n, l)`, bool `(n, items)`."""
    items, first = len(catalogue.items), catalogue.tokens[0][0]
    places = rows[:, len(catalogue.user_fields) + len(catalogue.item_fields) :] - first
    places = places.where((places >= 0) & (places < items), torch.full_like(places, items))
    met = torch.zeros(len(rows), items + 1, dtype=torch.bool, device=rows.device)
    return met.scatter(1, places, torch.ones_like(places, dtype=torch.bool))[:, :items]


def _past(source: Split, items: tuple[str, ...]) -> list[set[int]]:
    """Return the places of the items of each user's past; none where raw rows are not known."""
    if source.raw is None or HISTORY not in source.raw:
        return [set() for _ in range(len(source))]
    places = {name: place for place, name in enumerate(items)}
    return [{places[name] for name in decoded_items(str(text)) if name in places} for text in source.raw[HISTORY]]
