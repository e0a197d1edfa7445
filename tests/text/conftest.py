"""Small text models, trained in a plain loop."""

import pytest
import torch

from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Optimization


def trained_subject(data, model, task, *, steps=60, learning_rate=0.02, seed=0, batch=128):
    """Return a subject: the model trained in a plain loop on the task's own loss."""
    task.check(data.schema)
    learner = task.learner(model, data, Optimization())
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    generator = torch.Generator().manual_seed(seed)
    model.train()
    for _ in range(steps):
        rows = data.train.batch(torch.randperm(len(data.train), generator=generator)[:batch])
        loss = learner.loss(model(*rows.inputs), rows)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.zero_grad(set_to_none=True)
    model.eval()
    return Subject(
        schema=data.schema,
        predictions=task.predict(model, data.test),
        task=task,
        model=model,
        train=data.train,
        seed=seed,
        encoder=data.encoder,
    )


@pytest.fixture(scope="session")
def train():
    return trained_subject
