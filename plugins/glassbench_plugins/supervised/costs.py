"""What wrong decisions between two classes cost, as a metric."""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from glassbench.contracts.metric import Metric
from glassbench.stats.inference import Inference, mean
from glassbench.stats.sampling import Sampling

Cost = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Costs(BaseModel):
    """What a wrong decision costs, in any unit; right ones cost nothing.

    Args:
        false_negative: A row of the positive class that is decided otherwise.
        false_positive: A row that is decided positive and is not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    false_negative: Cost = 1.0
    false_positive: Cost = 1.0


def cost_metric(costs: Costs, positive: str | None) -> Metric:
    """Return the mean cost per row.

    Args:
        costs: What wrong decisions cost.
        positive: The positive class; None where only the metric's name is asked for.
    """

    def per_row(frame: pd.DataFrame) -> np.ndarray:
        truth, decision = ((frame[column].astype(str) == positive).to_numpy() for column in ("y_true", "y_pred"))
        return np.asarray(
            costs.false_negative * (truth & ~decision) + costs.false_positive * (~truth & decision), dtype=np.float64
        )

    def compute(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
        return np.asarray(weights @ per_row(frame) / weights.sum(axis=1))

    def inference(frame: pd.DataFrame, sampling: Sampling) -> Inference:
        return mean(per_row(frame), sampling, lowest=0.0)

    highest = max(costs.false_negative, costs.false_positive)
    return Metric(
        name="cost",
        compute=compute,
        inference=inference,
        higher_is_better=False,
        unit="per row",
        lowest=0.0,
        highest=highest,
        grouped=True,
    )
