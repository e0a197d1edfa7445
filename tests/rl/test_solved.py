"""Policies learn what they should within the steps they are given, and their explanations say what they rest on. Slow."""

from pathlib import Path

import pytest

from glassbench import run

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TRAINER = {"use": "lightning", "threads": 1, "learning_rate": 1e-3}
ACTOR = {"use": "actor-critic", "hidden": [64, 64]}


def solved(tmp_path, seed: int, dataset, task, trainer, model=ACTOR) -> float:
    experiment = {
        "name": "solved",
        "dataset": {"use": "environment", **dataset},
        "task": {"steps": 100_000, **task},
        "model": model,
        "trainer": TRAINER | trainer,
        "audits": ["performance"],
        "gates": [],
        "seed": seed,
    }
    done = run(experiment, runs=tmp_path)
    found = next(m for m in done.measures if m.name == "performance.return")
    assert found.n == 100
    return float(found.value)


def from_example(tmp_path, name: str, seed: int, vectorization: str = "lanes") -> float:
    plain = ["dataset.contexts={}", f"dataset.vectorization={vectorization}"]
    overrides = [f"seed={seed}", "audits=[performance]", "gates=[]", *plain]
    done = run(EXAMPLES / name, runs=tmp_path, overrides=overrides)
    return next(m.value for m in done.measures if m.name == "performance.return")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cartpole.yaml", "cartpole-dqn.yaml"])
def test_cartpole_is_balanced_by_four_of_five_seeds(tmp_path, name):
    assert sum(from_example(tmp_path, name, seed) >= 475 for seed in range(1, 6)) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cartpole.yaml", "cartpole-dqn.yaml"])
def test_cartpole_is_balanced_by_what_was_learnt_in_its_vector_environment(tmp_path, name):
    assert sum(from_example(tmp_path, name, seed, "vector") >= 475 for seed in range(1, 6)) >= 4


@pytest.mark.slow
def test_ppo_swings_the_acrobot_up(tmp_path):
    task = {"use": "ppo", "trace": 0.94, "passes": 4, "stop_at": -80}
    assert solved(tmp_path, 1, {"id": "Acrobot-v1"}, task, {"batch_size": 64}) >= -100


@pytest.mark.slow
def test_ppo_holds_the_pendulum_up(tmp_path):
    task = {"use": "ppo", "rollout": 256, "discount": 0.95}
    dataset = {"id": "Pendulum-v1", "scale_rewards": True}
    assert solved(tmp_path, 1, dataset, task, {"batch_size": 128, "schedule": "linear"}) >= -200


@pytest.mark.slow
def test_sac_holds_the_pendulum_up_with_four_of_five_seeds(tmp_path):
    assert sum(from_example(tmp_path, "pendulum.yaml", seed) >= -160 for seed in range(1, 6)) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cartpole.yaml", "cartpole-dqn.yaml"])
def test_the_pole_matters_more_than_where_the_cart_is(tmp_path, name):
    done = run(EXAMPLES / name, runs=tmp_path, overrides=["audits=[explain]", "gates=[]"])
    order = [str(row[0]) for row in done.audits[0].tables[0].rows]
    assert order.index("pole angle") < order.index("cart position")
    assert order.index("pole angular velocity") < order.index("cart position")
