"""The course of a training and one pass backward, worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from glassbench.testing import toy_subject
from glassbench_audits.learning.backward import _per_step, backward
from glassbench_audits.learning.course import _neighbours, course_findings, course_measures, spikes


def measured(validation: list[float], **facts: object) -> tuple[dict[str, float | None], list[str]]:
    """What is measured and found of a course whose training loss falls as the validation loss does at first."""
    history = tuple(
        {"epoch": i, "step": i, "train_loss": min(validation[: i + 1]), "validation_loss": v} for i, v in enumerate(validation)
    )
    subject = replace(toy_subject(), history=history, facts=facts)
    found = [one.sentence for one in course_findings(subject, 10.0) if one.grade == "concern"]
    return {one.name.removeprefix("learning."): one.value for one in course_measures(subject)}, found


def test_a_rise_is_told_against_the_least_loss():
    measures, _ = measured([2.0, 0.5, 0.4, 0.5])
    assert measures["rise"] == pytest.approx(0.25)
    assert measures["gap"] == pytest.approx((0.5 - 0.4) / 2.0)
    assert measures["loss_spikes"] is None  # four losses are too few to tell


@pytest.mark.parametrize(
    ("validation", "overfits"),
    [
        ([1.0, 0.4, 0.45, 0.6], False),  # two epochs past the least
        ([1.0, 0.4, 0.45, 0.5, 0.6], True),
        ([1.0, 0.4, 0.45, 0.5, 0.49], False),  # less than a quarter above it
    ],
)
def test_overfitting_takes_three_epochs_past_the_least_and_a_quarter_above_it(validation, overfits):
    assert any("overfits" in sentence for sentence in measured(validation)[1]) == overfits


def test_a_value_is_held_against_the_three_before_and_the_three_after_it_without_itself():
    values = np.array([5.0, 1.0, 2.0, 100.0, 4.0, 3.0, 9.0, 0.0])
    around = [[*values[max(0, i - 3) : i], *values[i + 1 : i + 4]] for i in range(8)]
    assert _neighbours(values) == pytest.approx([np.median(each) for each in around])


def test_a_spike_exceeds_the_usual_unrest_and_a_share_of_what_was_learnt():
    quiet, restless = np.zeros(20), np.tile([0.0, 0.5], 10)
    quiet[0] = restless[0] = 10.0
    for losses, rise, found in ((quiet, 2.9, []), (quiet, 3.1, [12]), (restless, 2.9, []), (restless, 4.0, [])):
        raised = losses.copy()
        raised[12] += rise
        assert spikes(raised) == found


class Twice(nn.Module):
    """Calls one rectifier twice: its first unit fires at the first call alone, its second at the second, its third never."""

    def __init__(self) -> None:
        super().__init__()
        self.relu, self.head = nn.ReLU(), nn.Linear(3, 2)

    def forward(self, rows: Tensor) -> Tensor:
        one = torch.ones(len(rows))
        return self.head(self.relu(torch.stack([one, -one, -one], 1)) + self.relu(torch.stack([-one, one, -one], 1)))


def test_a_unit_fires_where_it_does_at_any_call_and_for_any_row():
    seen = backward(replace(toy_subject(), model=Twice().eval()), 50)
    assert seen is not None
    assert [fired.tolist() for fired in seen.fired.values()] == [[True, True, False]]


def test_gradients_over_time_are_told_by_row_whichever_axis_holds_the_rows():
    read = torch.zeros(4, 2, 3, requires_grad=True)  # four steps of two rows
    (read * torch.arange(1.0, 9.0).reshape(4, 2, 1)).sum().backward()
    expected = np.arange(1, 9).reshape(4, 2).T * 3**0.5
    assert _per_step(read, False, []) == pytest.approx(expected)
    first = torch.zeros(2, 4, 3, requires_grad=True)
    (first * torch.arange(1.0, 9.0).reshape(2, 4, 1)).sum().backward()
    assert _per_step(first, True, []) == pytest.approx(np.arange(1, 9).reshape(2, 4) * 3**0.5)
