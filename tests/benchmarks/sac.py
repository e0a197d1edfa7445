"""Times soft actor-critic on Pendulum-v1 against stable-baselines3, side by side in one run.

    pip install 'glassbench[benchmark]'
    OMP_NUM_THREADS=1 python tests/benchmarks/sac.py --repeats 5

Both learners get one environment, a step of it and an update in turn, the same networks, optimizer, minibatches, replay buffer
and targets: the settings of stable-baselines3's own collection for Pendulum (rl-baselines3-zoo), and once more with networks of
64 units. They take turns, and turns of order; what is told is the median ratio. Glassbench standardises observations on top.
"""

import argparse
import dataclasses
import statistics
import tempfile
from functools import partial
from pathlib import Path

import torch
from rl import timed
from stable_baselines3 import SAC as Peer

from glassbench.contracts.trainer import Workspace
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.sac import SAC
from glassbench_plugins.rl.soft_actor_critic import SoftActorCritic
from glassbench_plugins.training.lightning import LightningTrainer

NAME, RATE, BATCH, WARM_UP = "Pendulum-v1", 1e-3, 256, 100


def ours(seed: int, steps: int, hidden: tuple[int, ...]) -> tuple[int, bool]:
    data = dataclasses.replace(environment(seed, id=NAME, lanes=1), validation=None)
    task = SAC(steps=steps, warm_up=WARM_UP)
    task.check(data.schema)
    trainer = LightningTrainer(batch_size=BATCH, learning_rate=RATE, threads=1, checkpoint_every=1e9)
    torch.manual_seed(seed)
    lines: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(seed=seed, folder=Path(folder), record=lambda line: lines.append(dict(line)))
        trainer.fit(SoftActorCritic(data.schema, hidden=hidden), task, data, workspace)
    return int(lines[-1]["environment_steps"]), True


def theirs(seed: int, steps: int, hidden: tuple[int, ...]) -> tuple[int, bool]:
    learner = Peer(
        "MlpPolicy",
        NAME,
        learning_rate=RATE,
        batch_size=BATCH,
        learning_starts=WARM_UP,
        policy_kwargs={"net_arch": list(hidden)},
        seed=seed,
        device="cpu",
    )
    learner.learn(steps)
    return learner.num_timesteps, True


def compared(hidden: tuple[int, ...], repeats: int, steps: int) -> None:
    ratios = []
    for seed in range(repeats):
        both = [("glassbench", ours), ("stable-baselines3", theirs)]
        took = {who: timed(partial(train, seed, steps, hidden)) for who, train in both[:: 1 - 2 * (seed % 2)]}
        rates = {who: (t.steps / t.processor, t.steps / t.wall) for who, t in took.items()}
        for who, (processor, wall) in sorted(rates.items()):
            print(f"{hidden} {who:18} {processor:6.0f} steps per processor second, {wall:6.0f} per wall second", flush=True)
        ratios.append([a / b for a, b in zip(rates["glassbench"], rates["stable-baselines3"], strict=True)])
    processor, wall = (statistics.median(ratio[i] for ratio in ratios) for i in (0, 1))
    print(f"{hidden} ratio, median of {repeats}: processor {processor:.2f}, wall {wall:.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="pairs of trainings")
    parser.add_argument("--steps", type=int, default=2_000, help="environment steps of each")
    parser.add_argument("--hidden", type=int, nargs="+", default=[256, 64], help="units of both hidden layers, in turn")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for units in chosen.hidden:
        compared((units, units), chosen.repeats, chosen.steps)
