"""Learns by interaction once undisturbed and once killed again and again, and prints whether both ended the same.

The trainings run in forks of this process, which imports everything once and itself computes nothing.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from safetensors import safe_open

from glassbench.trainer import Workspace
from glassbench_plugins.rl.actor_critic import ActorCritic
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.dqn import DQN
from glassbench_plugins.rl.ppo import PPO
from glassbench_plugins.rl.q_network import QNetwork
from glassbench_plugins.training.lightning import LightningTrainer

KINDS = {
    "ppo": (PPO(steps=2400, rollout=20, passes=4), ActorCritic, "CartPole-v1"),
    "ppo-continuous": (PPO(steps=2400, rollout=20, passes=4), ActorCritic, "Pendulum-v1"),
    "dqn": (DQN(steps=2400, rollout=20, updates=20, memory=2000, warm_up=100), QNetwork, "CartPole-v1"),
}


def train(kind: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)

    def record(line: object) -> None:
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    task, network, name = KINDS[kind]
    data = environment(3, id=name, lanes=4, scale_rewards=True, max_episode_steps=100, validation_episodes=2)
    task.check(data.schema)
    trainer = LightningTrainer(batch_size=32, threads=1, checkpoint_every=0.0, schedule="linear", tensorboard=False)
    workspace = Workspace(seed=1, folder=folder / "checkpoints", record=record)
    trainer.fit(network(data.schema, hidden=(16,)), task, data, workspace)


def fork(kind: str, folder: Path) -> int:
    child = os.fork()
    if child == 0:
        train(kind, folder)
        os._exit(0)
    return child


def killed_until_done(kind: str, folder: Path, longest: float) -> int:
    kills = 0
    while True:
        child = fork(kind, folder)
        deadline = time.monotonic() + random.uniform(0.2, longest)
        while time.monotonic() < deadline:
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                return kills
            time.sleep(0.005)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1


def outcome(folder: Path) -> tuple[str, object, dict[int, object]]:
    with safe_open(folder / "checkpoints" / "fitted.safetensors", "np") as file:
        metadata = file.metadata()
        weights = {name: file.get_tensor(name).tobytes().hex() for name in sorted(file.keys())}
    history = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return json.dumps(weights), metadata["tree"], {line["environment_steps"]: line for line in history}


if __name__ == "__main__":
    kind, root = sys.argv[1], Path(sys.argv[2])
    started = time.monotonic()
    os.waitpid(fork(kind, root / "once"), 0)
    kills = killed_until_done(kind, root / "often", max(0.6, 0.6 * (time.monotonic() - started)))
    (weights, facts, history), (expected, expected_facts, expected_history) = outcome(root / "often"), outcome(root / "once")
    same = {"same_weights": weights == expected, "same_facts": facts == expected_facts}
    print(json.dumps({"kills": kills, **same, "same_history": history == expected_history}))
