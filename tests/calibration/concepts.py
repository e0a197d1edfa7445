"""How often the audit of concepts finds what moves a network's decisions, and how often what does not.

A network of four hidden layers learns from its first inputs. Concepts are planted (those inputs are high), idle (inputs that
decide nothing are high), cut off (the same, with the network's weights on them set to 0: else it leans on them a little), or
coins (a random mark of the rows). A false alarm is a set of concepts, none of them planted, of which any is called a mover.

Run: python tests/calibration/concepts.py [--sets 120] [--seed 1000] [--steps 60]; some two minutes of one processor.
"""

import argparse
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import nn

from glassbench.contracts.subject import Subject
from glassbench.stats.intervals import wilson
from glassbench.testing import toy_data
from glassbench.testing.fixtures import ToyTask, descend
from glassbench_audits.concepts.audit import audit

WIDTH, COINS = 14, 4


def network(seed: int, causes: int, steps: int, *, cut_off: bool = False) -> Subject:
    """Return a trained network whose first inputs decide together, with coins among the groups of its training rows."""
    data, task = toy_data(rows=1000, width=WIDTH, seed=seed), ToyTask()
    task.check(data.schema)
    train, test = (replace(part, target=(part.inputs[0][:, :causes].sum(dim=1) > 0).long()) for part in (data.train, data.test))
    coins = np.random.default_rng([seed, 0xC01]).random((len(train), COINS)) < np.array([0.1, 0.2, 0.3, 0.5])
    train = replace(train, groups=pd.DataFrame({f"coin {i}": coins[:, i].astype(str) for i in range(COINS)}))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inner = [layer for _ in range(3) for layer in (nn.Linear(24, 24), nn.ReLU())]
        model = nn.Sequential(nn.Linear(WIDTH, 24), nn.ReLU(), *inner, nn.Linear(24, 2))
    descend(model, task, train, steps)
    if cut_off:
        with torch.no_grad():
            model[0].weight[:, causes:] = 0.0
    return Subject(
        schema=data.schema, predictions=task.predict(model.eval(), test), task=task, model=model, train=train, seed=seed
    )


def movers(subject: Subject, concepts: dict[str, dict[str, object]]) -> set[str]:
    """Return the concepts that the audit calls movers of decisions."""
    result = audit(subject, concepts=concepts)
    return {
        name for name in concepts for f in result.findings if f.grade == "ok" and f.sentence.startswith(f"The concept '{name}' ")
    }


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=60)
    given = parser.parse_args()
    coins = {f"coin {i}": {f"coin {i}": "True"} for i in range(COINS)}
    alarms, found, planted = {"coins": 0, "inputs cut off": 0, "idle inputs": 0}, 0, 0
    for seed in range(given.seed, given.seed + given.sets):
        causes = 1 + seed % 4
        subject = network(seed, causes, given.steps)
        real, idle = ({f"x{i}": {f"x{i}": {"at_least": 0.5}} for i in part} for part in (range(causes), range(causes, WIDTH)))
        strict = network(seed, causes, given.steps, cut_off=True)
        for name, whose, concepts in (("coins", strict, coins), ("inputs cut off", strict, idle), ("idle inputs", subject, idle)):
            alarms[name] += bool(movers(whose, concepts))
        found += len(movers(subject, {**real, **idle, **coins}) & set(real))
        planted += causes
    for name, many in alarms.items():
        low, high = (float(end[0]) for end in wilson(np.array([many]), np.array([given.sets])))
        print(f"| null sets of {name} | {given.sets} | {many} | {many / given.sets:.3f} ({low:.3f} to {high:.3f}) |")
    print(f"| planted | {planted} | {found} | {found / planted:.3f} |")


if __name__ == "__main__":
    main()
