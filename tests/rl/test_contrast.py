"""What a policy's action is compared with: the nearest step at which it acted otherwise."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.facts import ObservationFacts
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.testing import toy_subject
from glassbench_audits.attribution.visited import acted_otherwise, nearest_other
from glassbench_audits.explain.audit import explain
from glassbench_plugins.rl.dqn import DQN

WEIGHTS = torch.tensor([[2.0, 16.0], [-2.0, -16.0]])
"""A policy that looks at a cart's position, which drifts, and a pole's angle, which sways."""


def searched(episodes, actions) -> list[int]:
    places = range(len(episodes))
    found = []
    for i in places:
        others = [j for j in places if episodes[j] == episodes[i] and actions[j] != actions[i]]
        found.append(min(others, key=lambda j: (abs(j - i), j), default=-1))
    return found


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=5))
def test_the_nearest_step_is_the_one_a_search_finds(lists):
    episodes = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    actions = np.concatenate(lists)
    assert nearest_other(episodes, actions[:, None]).tolist() == searched(episodes, actions)


def drifting(steps: int = 200) -> Subject:
    """Two episodes in which the cart drifts by a metre while the pole sways by a hundredth of a radian."""
    time = torch.arange(steps, dtype=torch.float32)
    sway = 0.05 * torch.sin(time + 0.3)
    episode = torch.stack([time / steps, sway - time / steps / 8], dim=1)
    states = torch.cat([episode, episode])
    network = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(WEIGHTS)
        taken = network(states).argmax(dim=1)
    return subject_on(network, states, taken, np.repeat([0, 1], steps), ("position", "angle"))


def subject_on(network, states, taken, episode, names) -> Subject:
    features = tuple(Feature(name=name, columns=(i,)) for i, name in enumerate(names))
    target = Target(name="action", kind="none", classes=("left", "right"))
    facts = ObservationFacts(outputs=2)
    schema = Schema(modality="observation", shape=(len(names),), target=target, features=features, unit="step", facts=facts)
    task = DQN()
    task.check(schema)
    rows = np.arange(len(states)).astype(str)
    step = np.concatenate([np.arange((episode == one).sum()) for one in np.unique(episode)])
    frame = pd.DataFrame({"row": rows, "episode": episode, "step": step, "y_pred": np.array(target.classes)[taken]})
    predictions = Predictions(frame=frame.assign(cluster=episode), source=Split((states,), rows), target_index=taken)
    return Subject(schema=schema, predictions=predictions, task=task, model=network.eval())


def share_of_position(subject: Subject, baseline: str) -> float:
    rows = explain(subject, baseline=baseline, cases=0).tables[0].rows
    return next(row[4] for row in rows if row[0] == "position")


def test_what_drifts_counts_against_the_mean_and_not_against_the_nearest_other_action():
    subject = drifting()
    assert share_of_position(subject, "visited") > 0.25
    assert share_of_position(subject, "auto") < 0.02


def test_a_linear_policy_is_explained_by_its_weights_times_the_difference():
    subject = drifting()
    positions = np.arange(400)
    states, taken = subject.predictions.source.inputs[0], subject.predictions.target_index
    own = WEIGHTS - WEIGHTS.mean(dim=0)
    expected = (own[taken] * (states - acted_otherwise(subject, positions).mean(dim=1))).abs().mean(dim=0)
    table = {row[0]: row[1] for row in explain(subject, cases=0, rows=400).tables[0].rows}
    assert [table["position"], table["angle"]] == pytest.approx(expected.tolist(), rel=1e-4)


def test_where_nothing_else_was_done_the_mean_state_takes_the_place():
    subject = drifting()
    subject.predictions.target_index.zero_()
    contrast = acted_otherwise(subject, np.array([3, 7]))
    mean = subject.predictions.source.inputs[0].mean(dim=0)
    assert torch.allclose(contrast, mean.expand(2, contrast.shape[1], 2), atol=1e-5)


def flipped(steps: int = 60, episodes: int = 8) -> Subject:
    """Episodes in which gravity points one way or the other throughout, which flips every action; the wind does nothing."""
    chance = np.random.default_rng(0)
    gravity, wind = np.tile([1.0, -1.0], episodes // 2), chance.standard_normal(episodes)
    angle = 0.1 * np.sin(np.arange(steps) / 3 + chance.random((episodes, 1)) * 6)
    columns = [np.repeat(gravity, steps), np.repeat(wind, steps), angle.ravel()]
    states = torch.as_tensor(np.column_stack(columns), dtype=torch.float32)
    taken = (states[:, 0] * states[:, 2] > 0).long()
    return subject_on(Lever(), states, taken, np.repeat(np.arange(episodes), steps), ("gravity", "wind", "angle"))


class Lever(nn.Module):
    def forward(self, states):
        lead = 20 * states[:, 0] * states[:, 2]
        return torch.stack([-lead, lead], dim=1)


def test_what_stays_the_same_throughout_an_episode_and_flips_every_action_is_found():
    subject = flipped()
    result = explain(subject, cases=0)
    share = {row[0]: row[4] for row in result.tables[0].rows}
    assert share["gravity"] > 0.2
    assert share["angle"] > 0.2
    assert share["wind"] < 0.01
    assert "other episodes" in result.method.summary


def test_contrasts_come_from_other_episodes_and_took_another_action():
    subject = flipped()
    states, taken = subject.predictions.source.inputs[0], subject.predictions.target_index
    contrast = acted_otherwise(subject, np.arange(0, 480, 7))
    same = (contrast[..., None, :] == states).all(dim=-1)
    places = same.float().argmax(dim=-1)
    assert (taken[places] != taken[::7][:, None]).all()
    other = places // 60 != (torch.arange(0, 480, 7) // 60)[:, None]
    assert not other[:, 0].any()
    assert other[:, 1:].all()


def test_an_episode_of_one_action_is_compared_with_other_episodes():
    subject = flipped()
    subject.predictions.target_index[:60] = 1
    contrast = acted_otherwise(subject, np.array([5]))
    assert not (contrast[0, :, 1] == subject.predictions.source.inputs[0][5, 1]).any()


def test_rows_of_a_table_have_no_contrast():
    refused = explain(toy_subject(), baseline="contrast")
    assert "episodes of a policy" in refused.not_applicable
