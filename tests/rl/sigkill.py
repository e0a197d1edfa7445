"""Learns by interaction once undisturbed and once killed again and again, and prints whether both ended the same."""

import json
import sys
from functools import partial
from pathlib import Path

from killing import report

from glassbench.contracts.trainer import Workspace
from glassbench_plugins.rl.actor_critic import ActorCritic
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.dqn import DQN
from glassbench_plugins.rl.ppo import PPO
from glassbench_plugins.rl.q_network import QNetwork
from glassbench_plugins.rl.sac import SAC
from glassbench_plugins.rl.soft_actor_critic import SoftActorCritic
from glassbench_plugins.training.lightning import LightningTrainer

KINDS = {
    "ppo": (PPO(steps=2400, rollout=20, passes=4), ActorCritic, "CartPole-v1", "lanes"),
    "ppo-vector": (PPO(steps=2400, rollout=20, passes=4), ActorCritic, "CartPole-v1", "vector"),
    "ppo-continuous": (PPO(steps=2400, rollout=20, passes=4), ActorCritic, "Pendulum-v1", "lanes"),
    "dqn": (DQN(steps=2400, rollout=20, updates=20, memory=2000, warm_up=100), QNetwork, "CartPole-v1", "lanes"),
    "sac": (SAC(steps=1200, updates=2, memory=1000, warm_up=100), SoftActorCritic, "Pendulum-v1", "lanes"),
    "dqn-vector": (DQN(steps=2400, rollout=20, updates=20, memory=2000, warm_up=100), QNetwork, "CartPole-v1", "vector"),
}


def train(kind: str, folder: Path) -> None:
    def record(line: object) -> None:
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    task, network, name, how = KINDS[kind]
    settings = {"lanes": 4, "scale_rewards": True, "max_episode_steps": 100, "validation_episodes": 2}
    data = environment(3, id=name, vectorization=how, **settings)
    task.check(data.schema)
    trainer = LightningTrainer(batch_size=32, threads=1, checkpoint_every=0.0, schedule="linear")
    workspace = Workspace(seed=1, folder=folder / "checkpoints", record=record)
    trainer.fit(network(data.schema, hidden=(16,)), task, data, workspace)


if __name__ == "__main__":
    report(partial(train, sys.argv[1]), Path(sys.argv[2]), "environment_steps")
