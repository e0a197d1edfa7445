"""Losses that groups change: rows of no known group, weights of rows, held-out rows and groups that training rows lack."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.schema import Schema, Target
from glassbench_plugins.mitigation.adversarial import Adversarial, AdversarialLoss, Adversary
from glassbench_plugins.mitigation.gap_penalty import PenalisedLoss
from glassbench_plugins.mitigation.group_dro import GroupDRO

CONSTRAINTS = ("demographic_parity", "equalized_odds")
TARGET = Target(name="y", kind="class", classes=("no", "yes"))
SCHEMA = Schema(modality="table", shape=(1,), target=TARGET, sensitive=("side", "age"))


def batch_of(target: list[int], weight: list[float] | None = None, positions: list[int] | None = None) -> Batch:
    places = torch.tensor(range(len(target)) if positions is None else positions)
    return Batch((torch.zeros(len(target), 1),), torch.tensor(target), places, None if weight is None else torch.tensor(weight))


def mean_loss(objective: nn.Module, output: torch.Tensor, batch: Batch) -> float:
    """Return what the learner descends where every row's own loss is 0."""
    found = objective(torch.zeros(len(output)), output, batch)
    return float(found.mean() if batch.weight is None else (found * batch.weight).mean())


OUTPUT = torch.tensor([[2.0, 0.0], [0.5, 0.0], [0.0, 1.0], [1.0, 3.0], [0.0, 0.0]])
CODES, TRUTH = np.array([0, 0, 1, 1, 1]), [0, 1, 0, 1, 1]


def penalty(constraint: str, codes: np.ndarray = CODES, held_out: np.ndarray | None = None) -> PenalisedLoss:
    return PenalisedLoss(codes, codes if held_out is None else held_out, 2, constraint, 3.0)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_rows_of_no_known_group_pay_the_penalty_of_the_others_and_change_nothing_in_it(constraint):
    expected = mean_loss(penalty(constraint), OUTPUT, batch_of(TRUTH))
    more = torch.cat([OUTPUT, torch.tensor([[-9.0, 9.0], [9.0, -9.0]])])
    codes = np.append(CODES, [-1, -1])
    assert expected > 0.01
    assert mean_loss(penalty(constraint, codes), more, batch_of([*TRUTH, 1, 0])) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_weight_of_two_penalises_like_the_row_twice_in_whatever_unit_weights_are(constraint):
    twice = [0, 1, 1, 2, 3, 3, 4]
    truth = [TRUTH[row] for row in twice]
    expected = mean_loss(penalty(constraint, CODES[twice]), OUTPUT[twice], batch_of(truth))
    for unit in (1.0, 0.1, 30.0):
        weight = [unit * times for times in (1.0, 2.0, 1.0, 2.0, 1.0)]
        assert mean_loss(penalty(constraint), OUTPUT, batch_of(TRUTH, weight)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_held_out_rows_are_penalised_by_their_own_groups(constraint):
    other = np.array([0, 1, 1, 0, 1])
    objective = penalty(constraint, CODES, other)
    expected = [mean_loss(penalty(constraint, codes), OUTPUT, batch_of(TRUTH)) for codes in (CODES, other)]
    found = [mean_loss(objective.train(mode), OUTPUT, batch_of(TRUTH)) for mode in (True, False)]
    assert found == pytest.approx(expected, rel=1e-6)
    assert abs(found[0] - found[1]) > 1e-3


def seeing(groups_told_by_logits: bool, *, knows_truth: bool) -> Adversary:
    """Return an adversary that reads the group off the larger logit, or one that thinks all groups alike."""
    adversary = Adversary(2, 2, 2, knows_truth=knows_truth)
    first = torch.zeros_like(adversary.first_weight)
    first[:, :2] = -torch.eye(2)
    adversary.first_weight.copy_(first)
    strength = 100.0 if groups_told_by_logits else 0.0
    adversary.second_weight.copy_(strength * torch.tensor([[-1.0, 1.0], [1.0, -1.0]]))
    return adversary


def known(adversary: Adversary, codes: np.ndarray, truth: list[int], weight: list[float] | None = None, **asked) -> float:
    logits = torch.where(torch.tensor(codes)[:, None].clamp(min=0) == torch.arange(2), 5.0, -5.0)
    loss = AdversarialLoss(adversary, np.zeros(0), codes, Adversarial(strength=2.0, **asked)).eval()
    return mean_loss(loss, logits, batch_of(truth, weight))


def nats(*shares: float) -> float:
    return float(-sum(share * np.log(share) for share in shares if share))


def test_an_adversary_that_knows_all_knows_the_nats_that_groups_shares_leave_open():
    """Groups 3 to 5 of all rows; 3 to 1 in one class and 0 to 4 in the other, of which nothing is left to guess."""
    codes, truth = np.array([0, 0, 0, 1, 1, 1, 1, 1]), [0, 0, 0, 0, 1, 1, 1, 1]
    assert known(seeing(True, knows_truth=False), codes, truth) == pytest.approx(2 * nats(3 / 8, 5 / 8), rel=1e-4)
    assert known(seeing(True, knows_truth=True), codes, truth) == pytest.approx(2 * nats(3 / 4, 1 / 4) / 2, rel=1e-4)
    assert known(seeing(False, knows_truth=False), codes, truth) == 0
    assert known(seeing(False, knows_truth=True), codes, truth) == 0


@pytest.mark.parametrize("knows_truth", [False, True])
def test_rows_of_no_known_group_and_units_of_weights_change_nothing_in_what_it_knows(knows_truth):
    codes, truth = np.array([0, 0, 0, 1, 1, 1, 1, 0]), [0, 0, 0, 0, 1, 1, 1, 1]
    adversary = seeing(True, knows_truth=knows_truth)
    expected = known(adversary, np.append(codes, [0, 1]), [*truth, 0, 1])
    assert expected > 0.3
    unknown = np.append(codes, [0, 1, -1, -1, -1])
    assert known(adversary, unknown, [*truth, 0, 1, 0, 0, 1]) == pytest.approx(expected, rel=1e-4)
    for unit in (1.0, 0.05, 20.0):  # the first and the fifth row stand twice above
        weight = [unit * times for times in (2.0, 1, 1, 1, 2, 1, 1, 1)]
        assert known(adversary, codes, truth, weight) == pytest.approx(expected, rel=1e-4)


def test_held_out_rows_teach_the_adversary_nothing_and_training_rows_as_often_as_asked():
    loss = AdversarialLoss(Adversary(2, 2, 4, knows_truth=True), CODES, CODES, Adversarial(steps=4))
    before = {name: weight.clone() for name, weight in loss.adversary.weights().items()}
    loss.eval()(torch.zeros(5), OUTPUT, batch_of(TRUTH))
    assert all(torch.equal(weight, before[name]) for name, weight in loss.adversary.weights().items())
    loss.train()(torch.zeros(5), OUTPUT, batch_of(TRUTH))
    assert loss.adversary.steps == 4
    loss(torch.zeros(5), OUTPUT, batch_of(TRUTH))
    assert loss.adversary.steps == 8


def test_an_adversary_learns_from_rows_as_often_as_they_count():
    logits, truth, codes = OUTPUT, torch.tensor(TRUTH), torch.tensor(CODES)
    twice = [0, 0, 1, 2, 2, 4]  # the fourth row counts nothing
    learnt = []
    for rows, held in (([0, 1, 2, 3, 4], [2.0, 1, 2, 0, 1]), (twice, [1.0] * 6), (twice, [0.2] * 6)):
        adversary = Adversary(2, 2, 4, knows_truth=True)
        for _ in range(3):
            adversary.learn(logits[rows], truth[rows], codes[rows], torch.tensor(held), 0.05)
        learnt.append(adversary.weights())
    for other in learnt[1:]:
        for name, weight in learnt[0].items():
            torch.testing.assert_close(other[name], weight, atol=1e-5, rtol=1e-4)


def split(side: str, age: str, target: list[int]) -> Split:
    groups = pd.DataFrame({"side": [*side], "age": [*age]})
    n = len(target)
    return Split(inputs=(torch.zeros(n, 1),), rows=np.arange(n), target=torch.tensor(target), groups=groups)


def test_groups_are_those_of_training_rows_crossed_with_classes_and_others_are_none():
    train = split("llrrrr", "oyooyy", [0, 1, 0, 1, 0, 0])
    validation = split("lrlrxl", "yoooyo", [1, 1, 1, 0, 0, -1])
    data = Data(schema=SCHEMA, train=train, validation=validation, test=train)
    loss = GroupDRO().objective(data)
    assert loss.train_codes.tolist() == [0, 1, 2, 3, 4, 4]  # l o no, l y yes, r o no, r o yes, r y no
    assert loss.validation_codes.tolist() == [1, 3, -1, 2, -1, -1]
    plain = GroupDRO(with_class=False).objective(data)
    assert plain.train_codes.tolist() == [0, 1, 2, 2, 3, 3]
    assert plain.validation_codes.tolist() == [1, 2, 0, 2, -1, 0]
    one = GroupDRO(features=("age",), with_class=False).objective(data)
    assert one.train_codes.tolist() == [0, 1, 0, 0, 1, 1]
    said = GroupDRO(features=("age",), with_class=False).account(data, {})
    assert "2 groups (age)" in said


def test_the_smallest_and_the_largest_group_are_said_with_their_rows():
    train = split("llrrrr", "oyooyy", [0, 1, 0, 1, 0, 0])
    said = GroupDRO(features=("side",)).account(Data(schema=SCHEMA, train=train, test=train), {})
    assert "the smallest is l, no (1 training rows), the largest r, no (3)" in said
