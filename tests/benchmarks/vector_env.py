"""Times rollouts of `ppo` in lanes of single environments against those in the vector environment that an environment brings.

    OMP_NUM_THREADS=1 python tests/benchmarks/vector_env.py --id CartPole-v1 --lanes 8 32 128

Steps count as they are learnt from: what a lane of a vector environment spends on beginning an episode does not.
"""

import argparse
import statistics
import time

import gymnasium
import torch

from glassbench.contracts.task import Optimization
from glassbench_plugins.rl.actor_critic import ActorCritic
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.ppo import PPO

ROLLOUT = 128


def speed(name: str, lanes: int, vectorization: str, seed: int, rollouts: int) -> float:
    """Return steps learnt from per processor second, without the update."""
    data = environment(seed, id=name, lanes=lanes, vectorization=vectorization)
    task = PPO(rollout=ROLLOUT)
    task.check(data.schema)
    torch.manual_seed(seed)
    learner = task.learner(ActorCritic(data.schema), data, Optimization(learning_rate=1e-3, batch_size=64, seed=seed))
    learner.roll()
    started = time.process_time()
    steps = sum(len(learner.roll().seen) for _ in range(rollouts))
    return steps / (time.process_time() - started)


def compare(name: str, lanes: int, repeats: int, rollouts: int) -> None:
    found: dict[str, list[float]] = {"lanes": [], "vector": []}
    for seed in range(repeats):
        for how in ("lanes", "vector") if seed % 2 == 0 else ("vector", "lanes"):
            found[how].append(speed(name, lanes, how, seed, rollouts))
    single, vector = (statistics.median(found[how]) for how in ("lanes", "vector"))
    ratios = sorted(v / s for s, v in zip(found["lanes"], found["vector"], strict=True))
    print(
        f"{name}, {lanes} lanes: lanes {single:,.0f}, vector {vector:,.0f} steps per processor second, "
        f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--id", default="CartPole-v1")
    parser.add_argument("--lanes", type=int, nargs="+", default=[8, 32, 128])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rollouts", type=int, default=8, help=f"rollouts of {ROLLOUT} steps per lane that are timed")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    gymnasium.logger.min_level = gymnasium.logger.ERROR
    for count in chosen.lanes:
        compare(chosen.id, count, chosen.repeats, chosen.rollouts)
