"""A language model and a policy, as small as can be: the contracts must serve both without a special case."""

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import nn
from torch.distributions import Categorical
from torch.nn import functional

from glassbench import (
    Data,
    DatasetSpec,
    Metric,
    ModelSpec,
    Predictions,
    Schema,
    Split,
    SupervisedLearner,
    Target,
    Task,
    TaskSpec,
    hookimpl,
)
from glassbench.contracts.predictions.actions import Actions
from glassbench.contracts.predictions.tokens import Tokens


@hookimpl
def glassbench_datasets():
    yield DatasetSpec(name="letters", summary="Sentences.", target="unlike_domains:letters")
    yield DatasetSpec(name="corridor", summary="An environment.", target="unlike_domains:corridor")


@hookimpl
def glassbench_tasks():
    yield TaskSpec(name="tiny-next-token", summary="Next token.", target="unlike_domains:NextToken")
    yield TaskSpec(name="control", summary="A policy.", target="unlike_domains:Control")


@hookimpl
def glassbench_models():
    yield ModelSpec(name="tiny-language", summary="Recurrent.", target="unlike_domains:Language")
    yield ModelSpec(name="tiny-policy", summary="Linear.", target="unlike_domains:Policy")


def letters(seed, *, rows: int = 90) -> Data:
    """Sentences of five letters that count upwards from a random start."""
    generator = np.random.default_rng(seed)
    tokens = torch.as_tensor((generator.integers(0, 8, (rows, 1)) + np.arange(6)) % 8)
    groups = pd.DataFrame({"source": generator.choice(["a", "b"], rows)})
    whole = Split(inputs=(tokens[:, :-1],), target=tokens[:, 1:], rows=np.arange(rows), groups=groups)
    third = rows // 3
    parts = [whole.take(np.arange(i * third, (i + 1) * third)) for i in range(3)]
    target = Target(name="next", kind="token", classes=tuple("abcdefgh"))
    schema = Schema(modality="text", shape=(5,), target=target, sensitive=("source",), unit="sentence")
    return Data(schema=schema, train=parts[0], validation=parts[1], test=parts[2])


class Language(nn.Module):
    """An embedding, a recurrent layer, a head."""

    attribution_layer = "embedding"

    def __init__(self, schema: Schema, *, width: int = 16) -> None:
        super().__init__()
        vocabulary = len(schema.target.classes)
        self.embedding = nn.Embedding(vocabulary, width)
        self.recurrent = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens):
        return self.head(self.recurrent(self.embedding(tokens))[0])


class NextToken(Task):
    """A sentence is a row, its mean loss the score, its last token the decision."""

    kind = Tokens()
    metrics = (
        Metric(
            name="loss",
            compute=lambda frame, weights: weights @ frame["score"].to_numpy() / weights.sum(1),
            higher_is_better=False,
            unit="nats",
        ),
    )

    def check(self, schema):
        self.names = np.array(schema.target.classes)

    def loss(self, output, batch):
        return functional.cross_entropy(output.flatten(0, 1), batch.target.flatten())

    def learner(self, model, data, optimization):
        return SupervisedLearner(model, self.loss, optimization)

    def predict(self, model, source):
        batch = source.batch(slice(None))
        with torch.no_grad():
            output = model(*batch.inputs)
        losses = functional.cross_entropy(output.transpose(1, 2), batch.target, reduction="none").mean(1)
        token = output[:, -1].argmax(1)
        columns = {"row": source.rows, "y_true": self.names[batch.target[:, -1]], "y_pred": self.names[token]}
        columns |= {"score": losses.double().numpy(), "group.source": source.groups["source"].to_numpy()}
        target_index = torch.stack([torch.full_like(token, output.shape[1] - 1), token], 1)
        return Predictions(frame=pd.DataFrame(columns), source=source, target_index=target_index)

    def attribution_output(self, output):
        return output


class Corridor:
    """A walk along a line: being right of the middle pays when walking right. Ten steps."""

    def make(self, seed):
        return np.random.default_rng(seed)

    def play(self, model, seed):
        generator, states, actions, rewards = self.make(seed), [], [], []
        with torch.no_grad():
            for _ in range(10):
                state = torch.as_tensor(generator.normal(size=2), dtype=torch.float32)
                action = int(Categorical(logits=model(state[None])[0]).sample())
                states.append(state)
                actions.append(action)
                rewards.append(float((state[0] > 0) == bool(action)))
        return torch.stack(states), torch.tensor(actions), torch.tensor(rewards)


def corridor(seed) -> Data:
    """The corridor."""
    target = Target(name="action", kind="none", classes=("left", "right"))
    schema = Schema(modality="observation", shape=(2,), target=target, sensitive=("side",), unit="step")
    return Data(schema=schema, train=Corridor(), test=Corridor())


class Policy(nn.Module):
    """Action preferences, linear in the state."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.preferences = nn.Linear(2, 2)

    def forward(self, state):
        return self.preferences(state)


class Rollouts:
    """Episodes played afresh each time they are asked for."""

    def __init__(self, environment, model):
        self.environment, self.model = environment, model

    def __iter__(self):
        return (self.environment.play(self.model, seed) for seed in range(20))


class Reinforce(pl.LightningModule):
    """Plays and learns (Williams 1992); it brings its own data."""

    def __init__(self, model, environment, optimization):
        super().__init__()
        self.model, self.environment, self.optimization = model, environment, optimization

    def train_dataloader(self):
        return Rollouts(self.environment, self.model)

    def training_step(self, episode, _):
        states, actions, rewards = episode
        chosen = Categorical(logits=self.model(states)).log_prob(actions)
        return -(chosen * (rewards - 0.5)).mean()

    def configure_optimizers(self):
        return torch.optim.Adam(self.model.parameters(), lr=0.05)


class Control(Task):
    """A step is a row; the states visited in evaluation are the held-out inputs."""

    kind = Actions()
    metrics = (
        Metric(
            name="reward", compute=lambda frame, weights: weights @ frame["reward"].to_numpy() / weights.sum(1), compares=False
        ),
    )

    def check(self, schema):
        self.names = np.array(schema.target.classes)

    def learner(self, model, data, optimization):
        return Reinforce(model, data.train, optimization)

    def predict(self, model, source):
        torch.manual_seed(0)
        episodes = [source.play(model, 1000 + i) for i in range(8)]
        states, actions, rewards = (torch.cat(parts) for parts in zip(*episodes, strict=True))
        side = np.where(states[:, 1] > 0, "north", "south")
        rows = np.arange(len(states))
        columns = {"row": rows, "y_pred": self.names[actions], "group.side": side}
        columns |= {"reward": rewards.double().numpy(), "episode": rows // 10}
        visited = Split(inputs=(states,), rows=rows)
        return Predictions(frame=pd.DataFrame(columns), source=visited, target_index=actions)

    def attribution_output(self, output):
        return output
