"""Times proximal policy optimisation on CartPole-v1 against stable-baselines3, side by side in one run.

    pip install 'glassbench[benchmark]'
    OMP_NUM_THREADS=1 python tests/benchmarks/rl.py --speed 3 --seeds 10

First the environment steps per second at equal settings, in turns of order; then, seed by seed, the time until 20 evaluation
episodes with the preferred actions, played every 5,000 steps, reach a mean return of 475. Both learners get the same lanes,
network, optimizer, minibatches, passes and schedules; the settings are those that stable-baselines3's own collection found
best for CartPole (rl-baselines3-zoo). Each prints processor and wall seconds: other work on the machine spoils only the second.
"""

import argparse
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import gymnasium
import torch
from stable_baselines3 import PPO as Peer
from stable_baselines3.common.callbacks import BaseCallback, EvalCallback, StopTrainingOnRewardThreshold
from stable_baselines3.common.env_util import make_vec_env

from glassbench.contracts.trainer import Workspace
from glassbench_plugins.rl.actor_critic import ActorCritic
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.ppo import PPO
from glassbench_plugins.training.lightning import LightningTrainer

NAME, LANES, STEPS, EPISODES, EVERY, GOAL = "CartPole-v1", 8, 100_000, 20, 5_000, 475.0


@dataclasses.dataclass(frozen=True)
class Settings:
    """What both learners are given."""

    rollout: int
    batch: int
    passes: int
    discount: float
    trace: float
    rate: float
    falls: bool


ZOO = Settings(rollout=32, batch=256, passes=20, discount=0.98, trace=0.8, rate=1e-3, falls=True)
DEFAULT = Settings(rollout=256, batch=64, passes=10, discount=0.99, trace=0.95, rate=3e-4, falls=False)


class Took(NamedTuple):
    """What a training took: seconds, and how many environment steps it made; `reached` says whether it got to the goal."""

    wall: float
    processor: float
    steps: int
    reached: bool


def timed(train: Callable[[], tuple[int, bool]]) -> Took:
    wall, processor = time.perf_counter(), time.process_time()
    steps, reached = train()
    return Took(time.perf_counter() - wall, time.process_time() - processor, steps, reached)


def ours(settings: Settings, seed: int, steps: int, goal: float | None, normalize: bool) -> tuple[int, bool]:
    data = environment(seed, id=NAME, lanes=LANES, validation_episodes=EPISODES, normalize_observations=normalize)
    if goal is None:
        data = dataclasses.replace(data, validation=None)
    given = {name: getattr(settings, name) for name in ("rollout", "passes", "discount", "trace")}
    task = PPO(steps=steps, clip_anneals=settings.falls, stop_at=goal, **given)
    task.check(data.schema)
    trainer = LightningTrainer(
        batch_size=settings.batch,
        learning_rate=settings.rate,
        schedule="linear" if settings.falls else "constant",
        threads=1,
        checkpoint_every=1e9,
    )
    torch.manual_seed(seed)
    lines: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(seed=seed, folder=Path(folder), record=lambda line: lines.append(dict(line)))
        trainer.fit(ActorCritic(data.schema, hidden=(64, 64)), task, data, workspace)
    return int(lines[-1]["environment_steps"]), goal is not None and lines[-1]["validation_return"] >= goal


def theirs(settings: Settings, seed: int, steps: int, goal: float | None) -> tuple[int, bool]:
    def falling(start: float) -> float | Callable[[float], float]:
        return (lambda left: start * left) if settings.falls else start

    learner = Peer(
        "MlpPolicy",
        make_vec_env(NAME, n_envs=LANES, seed=seed),
        learning_rate=falling(settings.rate),
        n_steps=settings.rollout,
        batch_size=settings.batch,
        n_epochs=settings.passes,
        gamma=settings.discount,
        gae_lambda=settings.trace,
        clip_range=falling(0.2),
        seed=seed,
        device="cpu",
    )
    judge: BaseCallback | None = None
    if goal is not None:
        judge = EvalCallback(
            make_vec_env(NAME, n_envs=EPISODES, seed=10_000 + seed),
            callback_on_new_best=StopTrainingOnRewardThreshold(goal),
            n_eval_episodes=EPISODES,
            eval_freq=EVERY // LANES,
            verbose=0,
        )
    learner.learn(steps, callback=judge)
    reached = isinstance(judge, EvalCallback) and judge.best_mean_reward >= (goal or 0)
    return learner.num_timesteps, bool(reached)


def speed(name: str, settings: Settings, repeats: int, steps: int) -> None:
    ratios = []
    for repeat in range(repeats):
        runs = [
            ("glassbench", lambda s=repeat: ours(settings, s, steps, None, True)),
            ("stable-baselines3", lambda s=repeat: theirs(settings, s, steps, None)),
        ]
        took = {who: timed(train) for who, train in (runs if repeat % 2 == 0 else runs[::-1])}
        rate = {who: (t.steps / t.processor, t.steps / t.wall) for who, t in took.items()}
        for who, (processor, wall) in sorted(rate.items()):
            print(f"{name:8} {who:18} {processor:8,.0f} steps per processor second, {wall:8,.0f} per wall second", flush=True)
        ratios.append(tuple(a / b for a, b in zip(rate["glassbench"], rate["stable-baselines3"], strict=True)))
    processor, wall = (statistics.median(r[i] for r in ratios) for i in (0, 1))
    print(f"{name:8} ratio, median of {repeats}: processor {processor:.2f}, wall {wall:.2f}", flush=True)


def race(seeds: range, normalize: bool) -> None:
    totals: dict[str, list[Took]] = {"glassbench": [], "stable-baselines3": []}
    for seed in seeds:
        runs = [
            ("glassbench", lambda s=seed: ours(ZOO, s, STEPS, GOAL, normalize)),
            ("stable-baselines3", lambda s=seed: theirs(ZOO, s, STEPS, GOAL)),
        ]
        for who, train in runs if seed % 2 == 0 else runs[::-1]:
            took = timed(train)
            totals[who].append(took)
            print(
                f"seed {seed:3} {who:18} {took.processor:6.1f} processor s {took.wall:6.1f} wall s {took.steps:7,} steps "
                f"{'reached' if took.reached else 'not reached'} {GOAL:g}",
                flush=True,
            )
    for i, clock in enumerate(("wall", "processor")):
        first, second = (sum(t[i] for t in totals[who]) for who in ("glassbench", "stable-baselines3"))
        print(f"time to {GOAL:g}, sum of {len(seeds)} seeds, {clock}: {first:.1f} s against {second:.1f} s, {first / second:.2f}")
    for who, runs_of in totals.items():
        print(f"{who}: reached by {sum(t.reached for t in runs_of)} of {len(seeds)} seeds")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--speed", type=int, default=3, help="repeats of the comparison of speed")
    parser.add_argument("--speed-steps", type=int, default=40_960, help="environment steps of each")
    parser.add_argument("--seeds", type=int, default=10, help="seeds of the race to the goal")
    parser.add_argument("--first", type=int, default=100, help="first seed of the race")
    parser.add_argument("--raw", action="store_true", help="let the policy see observations as they are, as the peer's does")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    gymnasium.logger.min_level = gymnasium.logger.ERROR
    if chosen.speed:
        speed("zoo", ZOO, chosen.speed, chosen.speed_steps)
        speed("default", DEFAULT, chosen.speed, chosen.speed_steps)
    if chosen.seeds:
        race(range(chosen.first, chosen.first + chosen.seeds), not chosen.raw)
