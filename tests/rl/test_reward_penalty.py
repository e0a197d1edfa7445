"""A gap between groups that costs reward, in any environment: against Lending's own penalty, by hand, and in whole runs."""

from typing import Any

import gymnasium
import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench import DataError, SettingsError
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.episodes import Environment
from glassbench_plugins.rl.lending import Lending
from glassbench_plugins.rl.penalized import Penalized, Penalty
from glassbench_plugins.rl.reward_penalty import RewardPenalty
from glassbench_plugins.rl.vector_env import VectorEnv

LENDING = {"id": "glassbench/Lending-v0", "sensitive": ("group",), "lanes": 2}


class Asked(gymnasium.Env[np.ndarray, int]):
    """Somebody after another asks; `info` says who, and which action is right."""

    metadata = {"names": {"actions": ("no", "yes"), "truth": "right"}}  # noqa: RUF012 (as Gymnasium has it)

    def __init__(self, people: list[tuple[str, str, int]]) -> None:
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)
        self.people, self.place = people, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.place = 0
        return np.zeros(1, np.float32), self._info()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.place += 1
        return np.zeros(1, np.float32), 1.0, self.place == len(self.people) - 1, False, self._info()

    def _info(self) -> dict[str, Any]:
        side, age, right = self.people[self.place]
        return {"side": side, "age": age, "right": right}


PEOPLE = [("a", "old", 1), ("b", "old", 0), ("a", "young", 1), ("b", "young", 1), ("a", "old", 1)]


def paid(penalty: Penalty, actions: list[int]) -> list[float]:
    played = Penalized(Asked(PEOPLE), penalty)
    played.reset(seed=0)
    return [float(played.step(action)[1]) for action in actions]


def test_rates_move_with_each_decision_on_a_group_and_the_gap_is_taken_from_the_reward() -> None:
    penalty = Penalty(strength=3.0, features=("side",), favourable=1, memory=2.0)
    # a: 1/2 -> 3/4 -> 7/8; b: 1/2 -> 1/4 -> 5/8; no gap while only a has come
    wanted = [1.0, 1 - 3 * (0.75 - 0.25), 1 - 3 * (0.875 - 0.25), 1 - 3 * (0.875 - 0.625)]
    assert paid(penalty, [1, 0, 1, 1]) == pytest.approx(wanted)
    other_way = Penalty(strength=3.0, features=("side",), favourable=0, memory=2.0)
    assert paid(other_way, [0, 1, 0, 0]) == pytest.approx(wanted)


def test_of_several_features_the_widest_gap_counts() -> None:
    both = Penalty(strength=1.0, features=("side", "age"), favourable=1, memory=2.0)
    # old: 3/4 -> 3/8; young: 3/4 -> 7/8
    wanted = [1.0, 0.5, 1 - 0.625, 1 - max(0.25, 0.875 - 0.375)]
    assert paid(both, [1, 0, 1, 1]) == pytest.approx(wanted)


def test_only_decisions_count_for_which_the_favourable_one_is_right() -> None:
    right = Penalty(strength=1.0, features=("side",), favourable=1, memory=2.0, truth="right", right=1)
    assert paid(right, [1, 0, 1, 0]) == pytest.approx([1.0, 1.0, 1.0, 1 - (0.875 - 0.25)])


CRITERIA = [("selection", "demographic_parity"), ("opportunity", "true_positive_rate_parity")]


@pytest.mark.parametrize(("criterion", "constraint"), CRITERIA)
def test_it_is_the_penalty_of_lending(criterion: Any, constraint: Any) -> None:
    data = environment(1, settings={"criterion": criterion}, **LENDING)
    mitigation = RewardPenalty(strength=2.5, constraint=constraint)
    ours = mitigation.training_episodes(data.train, data.schema).make(5)
    own = Lending(penalty=2.5, criterion=criterion)
    own.reset(seed=5)
    came: set[str] = set()
    chance, alike = np.random.default_rng(0), 0
    for _ in range(150):
        if criterion == "selection" or own.repays:
            came.add("AB"[own.group])
        action = int(chance.random() < 0.6)
        mine, theirs = ours.step(action)[1], own.step(action)[1]
        if len(came) == 2:
            alike += 1
            assert mine == pytest.approx(theirs, abs=1e-12)
    assert alike > 100


def test_an_episode_begins_without_a_gap() -> None:
    data = environment(1, **LENDING)
    ours = RewardPenalty().training_episodes(data.train, data.schema).make(5)
    for action in (1, 0, 1, 0, 0, 1):
        ours.step(action)
    assert ours.gap > 0
    ours.reset(seed=6)
    assert ours.gap == 0


def test_lanes_that_are_taken_up_again_pay_as_they_would_have() -> None:
    data = environment(3, max_episode_steps=50, **LENDING)
    source = RewardPenalty(strength=4.0).training_episodes(data.train, data.schema)
    assert isinstance(source, Environment)
    actions = np.random.default_rng(1).integers(0, 2, (160, 2))
    whole, again = VectorEnv(source), VectorEnv(source)
    for pair in actions[:80]:
        whole.step(pair)
    again.load_state_dict(whole.state_dict())
    later = [(whole.step(pair).rewards.tolist(), again.step(pair).rewards.tolist()) for pair in actions[80:]]
    assert all(one == other for one, other in later)
    assert len({tuple(one) for one, _ in later}) > 40
    assert whole.drain() == again.drain()


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], type[Exception], str]] = {
    "no groups": ({"id": "CartPole-v1"}, {"favourable": "push left"}, DataError, "change within an episode"),
    "whole episodes": (
        {"id": "glassbench/Lending-v0", "contexts": {"share": [0.2, 0.4]}},
        {},
        DataError,
        "change within an episode",
    ),
    "another feature": (LENDING, {"features": ("grop",)}, SettingsError, "does not report"),
    "no feature": (LENDING, {"features": ()}, SettingsError, "names no feature"),
    "another action": (LENDING, {"favourable": "give"}, SettingsError, "no such action"),
    "no favourable action": ({"id": "CartPole-v1"}, {}, DataError, "which action is favourable"),
    "numbers": ({"id": "Pendulum-v1"}, {}, DataError, "actions that are choices"),
    "no right action": (
        {"id": "CartPole-v1"},
        {"favourable": "push left", "constraint": "true_positive_rate_parity"},
        DataError,
        "which action is right",
    ),
    "vectors": ({"id": "CartPole-v1", "vectorization": "vector"}, {"favourable": "push left"}, DataError, "lanes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_environments_that_it_cannot_serve_are_refused(case: str) -> None:
    given, settings, kind, words = REFUSED[case]
    data = environment(1, **given)
    with pytest.raises(kind, match=words):
        RewardPenalty(**settings).check(data, None, None)  # type: ignore[arg-type]


def experiment(steps: int, mitigations: list[Any]) -> dict[str, Any]:
    return {
        "name": "lender",
        "seed": 1,
        "dataset": {"use": "environment", "id": "glassbench/Lending-v0", "sensitive": ["group"], "scale_rewards": True},
        "task": {"use": "ppo", "steps": steps, "discount": 0.9},
        "model": {"use": "actor-critic", "hidden": [32, 32]},
        "trainer": {"use": "lightning", "learning_rate": 1e-3, "batch_size": 256, "schedule": "linear", "threads": 1},
        "mitigations": mitigations,
        "audits": ["performance", "fairness"],
    }


def rows_of(run: glassbench.Run) -> pd.DataFrame:
    return pd.read_parquet(run.folder / "predictions.parquet")


def test_the_episodes_that_are_judged_pay_what_the_environment_pays(tmp_path: Any) -> None:
    small = experiment(1600, [{"use": "reward-penalty", "strength": 5.0}])
    small["dataset"] |= {"evaluation_episodes": 6, "validation_episodes": 4}
    run = glassbench.run({**small, "audits": ["performance"]}, runs=tmp_path)
    rows = rows_of(run)
    assert (rows["reward"] == rows["gain"]).all()
    told = (run.folder / "provenance.json").read_text()
    assert "a gap of 1 between the selection rates by group cost 5 of reward at each step" in told


@pytest.mark.slow
def test_a_lender_who_pays_for_the_gap_keeps_it_small(tmp_path: Any) -> None:
    rates = {}
    for used in ([], ["reward-penalty"]):
        rows = rows_of(glassbench.run(experiment(80_000, used), runs=tmp_path))
        granted = rows["y_pred"].eq("grant").groupby(rows["group.group"].astype(str)).mean()
        rates[bool(used)] = (granted["A"] - granted["B"], float(rows.groupby("episode")["gain"].sum().mean()))
    print(rates)
    assert rates[False][0] > 0.25
    assert rates[True][0] < 0.15
    assert rates[True][1] > 0.75 * rates[False][1]
