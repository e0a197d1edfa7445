"""What `check_metric` finds: metrics that break one promise each."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.metric import Metric
from glassbench.stats.inference import Inference, from_influence, rate_limits, share
from glassbench.stats.sampling import Sampling
from glassbench.testing import check_metric

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"y_true": RNG.integers(0, 2, 40), "y_pred": RNG.integers(0, 2, 40), "list": np.repeat(np.arange(8), 5)})


def hits(frame: pd.DataFrame) -> np.ndarray:
    return (frame["y_true"] == frame["y_pred"]).to_numpy()


def accuracy(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights @ hits(frame) / weights.sum(axis=1))


def inferred(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    return share(hits(frame), sampling)


GOOD = Metric(name="good", compute=accuracy, rate=True, inference=inferred)


def unweighted(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return np.full(len(weights), hits(frame).mean())


def first_rows(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Of copies of a row the next ones do not count, and later rows count less."""
    held = weights / np.arange(1, len(frame) + 1)
    return np.asarray(held @ hits(frame) / held.sum(axis=1))


def one_value(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return accuracy(frame, weights)[:1]


def marked(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    frame["seen"] = 1
    return accuracy(frame, weights)


def of_rows_alone(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    return share(hits(frame), Sampling(weight=np.ones(len(frame))))


def of_few(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """The share of all rows, with the limits of as many rows as the frame has."""
    found = inferred(frame, sampling)
    return replace(found, limits=lambda z: rate_limits(found.value, len(frame), z))


def shifted(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    return replace(inferred(frame, sampling), value=1 - inferred(frame, sampling).value)


def with_influence(pull: Callable[[np.ndarray, float], np.ndarray]) -> Callable[[pd.DataFrame, Sampling], Inference]:
    def infer(frame: pd.DataFrame, sampling: Sampling) -> Inference:
        value = sampling.mean(hits(frame).astype(float))
        return from_influence(value, pull(hits(frame), value), sampling, lowest=0.0, highest=1.0)

    return infer


@pytest.mark.parametrize("metric", [GOOD, replace(GOOD, inference=None), replace(GOOD, inference=with_influence(np.subtract))])
@pytest.mark.parametrize("together", [None, "list"])
def test_a_metric_that_keeps_its_promises_passes(metric: Metric, together: str | None) -> None:
    check_metric(metric, FRAME, together)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"compute": unweighted, "inference": None}, "a weight must count like as many rows"),
        ({"compute": lambda frame, weights: (weights**2) @ hits(frame) / 1e3, "inference": None}, "as many rows"),
        ({"compute": first_rows, "inference": None}, "must"),
        ({"compute": one_value}, "weights \\(2, n\\) give values \\(2,\\)"),
        ({"compute": lambda frame, weights: 2.0 + accuracy(frame, weights), "inference": None}, "out of its bounds"),
        ({"compute": marked, "inference": None}, "leave the predictions as they were"),
        ({"inference": shifted}, "inference is of the value computed"),
        ({"inference": of_rows_alone}, "inference weighs rows as"),
        ({"inference": of_few}, "the low end of rows that stand for several is that of as many"),
        ({"inference": with_influence(lambda hit, value: 2 * (hit - value))}, "an influence is how far"),
        ({"inference": with_influence(lambda hit, value: value - hit)}, "an influence is how far"),
    ],
)
def test_a_broken_promise_is_named(changed: dict, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check_metric(replace(GOOD, **changed), FRAME)


def test_order_of_rows_that_means_something_is_found() -> None:
    def last_one(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
        return np.array([hits(frame)[np.flatnonzero(row)[-1]] for row in weights], dtype=float)

    assert hits(FRAME)[np.random.default_rng(1).permutation(40)[-1]] != hits(FRAME)[-1]
    with pytest.raises(AssertionError, match="the order of rows must mean nothing"):
        check_metric(replace(GOOD, compute=last_one, inference=None), FRAME)


def test_a_number_whose_bias_is_taken_out_may_differ_from_what_is_computed() -> None:
    def corrected(frame: pd.DataFrame, sampling: Sampling) -> Inference:
        found = inferred(frame, sampling)
        return from_influence(found.value * 0.99, hits(frame) - found.value, sampling, lowest=0.0, highest=1.0)

    check_metric(replace(GOOD, inference=corrected, corrected=True), FRAME)
    with pytest.raises(AssertionError, match="inference is of the value computed"):
        check_metric(replace(GOOD, inference=corrected), FRAME)
