"""Group weights against the formula, and a spurious correlation that plain training falls for."""

import numpy as np
import pandas as pd
import torch
from torch import nn

import glassbench
from glassbench.contracts.data import Batch
from glassbench_plugins.mitigation.group_dro import GroupLoss


def batch(positions: list[int], weight: torch.Tensor | None = None) -> Batch:
    return Batch((torch.zeros(len(positions), 1),), torch.zeros(len(positions)), torch.tensor(positions), weight)


def test_one_step_is_that_of_the_paper() -> None:
    loss = GroupLoss(np.array([0, 0, 1, 2]), np.array([0, 1]), 3, step=0.5, adjustment=1.0)
    losses = torch.tensor([1.0, 3.0, 4.0], requires_grad=True)
    found = loss(losses, None, batch([0, 1, 2])).mean()
    q = np.full(3, 1 / 3) * np.exp(0.5 * np.array([2 + 1 / np.sqrt(2), 4 + 1, 0]))
    q /= q.sum()
    assert np.allclose(loss.weights.numpy(), q)
    assert np.isclose(float(found.detach()), q[0] * 2 + q[1] * 4)
    found.backward()
    assert np.allclose(losses.grad.numpy(), [q[0] / 2, q[0] / 2, q[1]])


def test_row_weights_weigh_within_groups() -> None:
    loss = GroupLoss(np.array([0, 0, 1]), np.zeros(0, dtype=int), 2, step=1e-9, adjustment=0.0)
    weight = torch.tensor([3.0, 1.0, 0.5])
    rows = loss(torch.tensor([1.0, 5.0, 7.0]), None, batch([0, 1, 2], weight))
    assert np.isclose(float((rows * weight).mean()), 0.5 * 2 + 0.5 * 7)


def test_held_out_rows_count_each_group_alike_and_move_no_weight() -> None:
    loss = GroupLoss(np.array([0, 1]), np.array([0, 0, 0, 1, -1]), 2, step=1.0, adjustment=0.0).eval()
    rows = loss(torch.tensor([1.0, 2.0, 3.0, 10.0, 99.0]), None, batch([0, 1, 2, 3, 4]))
    assert np.isclose(float(rows.mean()), (2 + 10) / 2)
    assert torch.equal(loss.weights, torch.full((2,), 0.5))
    assert set(loss.state_dict()) == {"weights"}
    assert isinstance(loss, nn.Module)


def spurious(rows: int, seed: int) -> pd.DataFrame:
    """Return rows whose background agrees with the class in 95 % and is seen sharply, while the class itself is seen dimly."""
    chance = np.random.default_rng(seed)
    y = chance.integers(0, 2, rows)
    agrees = chance.random(rows) < 0.95
    background = np.where(agrees, y, 1 - y)
    frame = pd.DataFrame({"shape": y + 0.8 * chance.normal(size=rows), "ground": background + 0.3 * chance.normal(size=rows)})
    return frame.assign(background=np.array(["land", "water"])[background], bird=np.array(["gull", "robin"])[y])


def test_the_worst_group_gains_ten_points(tmp_path) -> None:
    worst = {}
    for mitigations in ([], [{"use": "group-dro", "step": 0.05}]):
        run = glassbench.run(
            {
                "name": "birds",
                "dataset": {"use": "table", "target": "bird", "sensitive": ["background"]},
                "task": "classification",
                "model": {"use": "linear"},
                "trainer": {"use": "lightning", "max_epochs": 30, "learning_rate": 0.05, "threads": 1, "batch_size": 128},
                "mitigations": mitigations,
                "audits": ["performance"],
            },
            data=spurious(4000, 0),
            runs=tmp_path,
        )
        rows = pd.read_parquet(run.folder / "predictions.parquet")
        right = (rows["y_true"] == rows["y_pred"]).groupby([rows["y_true"].astype(str), rows["group.background"].astype(str)])
        worst[bool(mitigations)] = right.mean().min()
    assert worst[True] >= worst[False] + 0.1, worst
