"""An adversary that guesses the group from what a network answers, and a loss that grows with what it knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.data import Batch, Data
from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.task import Task
from glassbench.stats.settings_types import Count, PositiveNumber
from glassbench_plugins.mitigation.gap_penalty import Gap
from glassbench_plugins.mitigation.groups import chosen_features, coded_rows

_SEED = 0
_BETAS, _EPSILON = (0.9, 0.999), 1e-8


@dataclass(frozen=True, kw_only=True)
class Adversarial(Mitigation):
    """Trains an adversary that guesses each row's group from the network's outputs, and descends what it knows.

    With each batch the adversary, a network with one hidden layer, takes steps of Adam towards the groups. The loss is raised
    by `strength` times the nats by which it guesses better than by the groups' shares, so that the network unlearns what tells
    groups apart; where the adversary knows nothing, nothing is added. For equalized odds it sees the true class too. That is the
    idea of Fairlearn's `AdversarialFairnessClassifier` on any network of classes and on the run's own trainer.

    With `projection` each parameter's gradient is that of the source and of Fairlearn: of the loss, minus its projection on the
    gradient of the adversary's loss, minus `strength` times the latter. Nothing then descends towards what helps the adversary.
    A `strength` of about 1 serves, since it is not held against what the adversary knows. Fairlearn's PyTorch engine (0.15)
    projects matrices by the sum of a matrix product; here, as in its TensorFlow engine, a parameter's gradient is one vector.
    Source: Zhang, Lemoine and Mitchell (2018), Mitigating unwanted biases with adversarial learning.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
        constraint: What the adversary sees: decisions alone, or the true class too.
        strength: What the adversary's knowledge, or the gradient of its loss, is multiplied by.
        width: Units of the adversary's hidden layer.
        learning_rate: Step size of the adversary.
        steps: Steps of the adversary for each of the network.
        projection: Whether to change gradients as Fairlearn does.
    """

    features: tuple[str, ...] | None = None
    constraint: Gap = "equalized_odds"
    strength: PositiveNumber = 50.0
    width: Count = 16
    learning_rate: PositiveNumber = 0.02
    steps: Count = 3
    projection: bool = False

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse features that the data do not have."""
        chosen_features(self.features, data.schema, "adversarial")

    def objective(self, data: Data) -> nn.Module:
        """Return the loss with the adversary in it."""
        groups, train, validation = coded_rows(self.features, data, "adversarial")
        adversary = Adversary(
            len(data.schema.target.classes), len(groups.names), self.width, knows_truth=self.constraint == "equalized_odds"
        )
        return AdversarialLoss(adversary, train, validation, self)

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say what the adversary guessed, and from what."""
        groups, train, _ = coded_rows(self.features, data, "adversarial")
        sizes = "; ".join(f"{groups.words(g)} {int((train == g).sum()):,}" for g in range(min(len(groups.names), 8)))
        seen = " and the true class" if self.constraint == "equalized_odds" else ""
        how = f"the loss was raised by {self.strength:g} times what it knew beyond the groups' shares"
        if self.projection:
            how = f"gradients were projected off its own and turned against it with a strength of {self.strength:g}"
        return (
            f"An adversary guessed the group of {', '.join(groups.features)} from the network's outputs{seen}, and {how}. "
            f"Training rows: {sizes}."
        )


class Adversary(nn.Module):
    """Guesses a row's group from the logits of classes, and from the true class where it may know it.

    Its weights are buffers, which are stored in checkpoints and which no optimizer of the network sees.

    Args:
        classes, groups: How many there are.
        width: Units of its hidden layer.
        knows_truth: Whether it sees the true class.
    """

    steps: Tensor

    def __init__(self, classes: int, groups: int, width: int, *, knows_truth: bool) -> None:
        super().__init__()
        self.classes, self.groups, self.knows_truth = classes, groups, knows_truth
        drawn = torch.Generator().manual_seed(_SEED)
        inputs = 2 * classes if knows_truth else classes
        for name, shape in (("first", (width, inputs)), ("second", (groups, width))):
            weight = torch.randn(shape, generator=drawn) / shape[1] ** 0.5
            self.register_buffer(f"{name}_weight", weight)
            self.register_buffer(f"{name}_bias", torch.zeros(shape[0]))
        for name, weight in self.weights().items():
            self.register_buffer(f"{name}_mean", torch.zeros_like(weight))
            self.register_buffer(f"{name}_square", torch.zeros_like(weight))
        self.register_buffer("steps", torch.zeros(()))

    def weights(self) -> dict[str, Tensor]:
        """Return its weights by name."""
        return {name: getattr(self, name) for name in ("first_weight", "first_bias", "second_weight", "second_bias")}

    def forward(self, logits: Tensor, truth: Tensor, weights: Mapping[str, Tensor] | None = None) -> Tensor:
        """From logits `(n, classes)` and true classes `(n,)` to logits of groups `(n, groups)`."""
        held = self.weights() if weights is None else weights
        seen = torch.log_softmax(logits.float(), dim=1)
        if self.knows_truth:
            seen = torch.cat([seen, functional.one_hot(truth.clamp(min=0), self.classes).float()], dim=1)
        hidden = torch.relu(functional.linear(seen, held["first_weight"], held["first_bias"]))
        return functional.linear(hidden, held["second_weight"], held["second_bias"])

    def learn(self, logits: Tensor, truth: Tensor, codes: Tensor, held: Tensor, learning_rate: float) -> None:
        """Take a step of Adam (Kingma and Ba 2015) towards the groups `(n,)` of a batch, rows weighed by `held` `(n,)`."""
        with torch.enable_grad():
            weights = {name: weight.detach().requires_grad_() for name, weight in self.weights().items()}
            each = functional.cross_entropy(self(logits.detach(), truth, weights), codes.clamp(min=0), reduction="none")
            loss = (each * held).sum() / held.sum().clamp(min=_EPSILON)
            gradients = torch.autograd.grad(loss, list(weights.values()))
        self.steps += 1
        with torch.no_grad():
            for (name, weight), gradient in zip(self.weights().items(), gradients, strict=True):
                mean, square = getattr(self, f"{name}_mean"), getattr(self, f"{name}_square")
                mean.lerp_(gradient, 1 - _BETAS[0])
                square.lerp_(gradient**2, 1 - _BETAS[1])
                real, wide = mean / (1 - _BETAS[0] ** self.steps), square / (1 - _BETAS[1] ** self.steps)
                weight -= learning_rate * real / (wide.sqrt() + _EPSILON)


class AdversarialLoss(nn.Module):
    """Raises each loss of a batch by what the adversary knows of its groups, or changes the gradients that it has.

    Args:
        adversary: Who guesses.
        train, validation: The group of each row, int64 `(n,)`; -1 for none.
        asked: The settings.
    """

    train_codes: Tensor
    validation_codes: Tensor

    def __init__(self, adversary: Adversary, train: np.ndarray, validation: np.ndarray, asked: Adversarial) -> None:
        super().__init__()
        self.adversary, self.asked = adversary, asked
        self._parameters_of_network: tuple[nn.Parameter, ...] = ()
        for name, value in (("train_codes", train), ("validation_codes", validation)):
            self.register_buffer(name, torch.as_tensor(value, dtype=torch.long), persistent=False)

    def take_parameters(self, parameters: Sequence[nn.Parameter]) -> None:
        """Keep the parameters whose gradients are changed; a tuple, which makes them no part of this module."""
        self._parameters_of_network = tuple(parameters)

    def forward(self, losses: Tensor, output: Tensor, batch: Batch) -> Tensor:
        """Return the losses `(n,)` of a batch, each with the same number added."""
        codes = (self.train_codes if self.training else self.validation_codes)[batch.positions]
        held = torch.ones_like(losses) if batch.weight is None else batch.weight.to(losses.dtype)
        scale = 1 / held.mean().clamp(min=_EPSILON)
        held = (held * (codes >= 0)).float().detach()
        learns = self.training and bool(held.sum() > 0)
        if learns and self.asked.projection:
            plain = losses.mean() if batch.weight is None else (losses * batch.weight).mean()
            added = self._projected(plain, output, batch, codes, held)
            self._learn(output, batch, codes, held)
        else:
            if learns:
                self._learn(output, batch, codes, held)
            added = self.asked.strength * self._known(output, batch, codes, held)
        return losses + added.to(losses.dtype) * scale

    def _learn(self, output: Tensor, batch: Batch, codes: Tensor, held: Tensor) -> None:
        for _ in range(self.asked.steps):
            self.adversary.learn(output, batch.target, codes, held, self.asked.learning_rate)

    def _known(self, output: Tensor, batch: Batch, codes: Tensor, held: Tensor) -> Tensor:
        """Return the nats by which the adversary guesses better than by the groups' shares, at least 0."""
        total = held.sum().clamp(min=_EPSILON)
        return torch.relu(self._entropy(codes, batch.target, held, total) - self._wrong(output, batch, codes, held))

    def _wrong(self, output: Tensor, batch: Batch, codes: Tensor, held: Tensor) -> Tensor:
        """Return the adversary's loss."""
        each = functional.cross_entropy(self.adversary(output, batch.target), codes.clamp(min=0), reduction="none")
        return (each * held).sum() / held.sum().clamp(min=_EPSILON)

    def _projected(self, plain: Tensor, output: Tensor, batch: Batch, codes: Tensor, held: Tensor) -> Tensor:
        """Return 0, with the gradient that turns that of the plain loss into the projected one.

        It is linear in the parameters, so that its gradient is what they are multiplied by.
        """
        parameters, wrong = self._parameters_of_network, self._wrong(output, batch, codes, held)
        own, theirs = (torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True) for loss in (plain, wrong))
        added = torch.zeros_like(wrong)
        for parameter, ours, against in zip(parameters, own, theirs, strict=True):
            if against is None:
                continue
            unit = against / (against.norm() + torch.finfo(against.dtype).tiny)
            along = torch.zeros_like(unit) if ours is None else (unit * ours).sum() * unit
            added = added - (parameter * (along + self.asked.strength * against).detach()).sum()
        return added - added.detach()

    def _entropy(self, codes: Tensor, truth: Tensor, held: Tensor, total: Tensor) -> Tensor:
        """Return the nats left to guess where only the groups' shares are known, by class where the adversary knows it."""
        groups, classes = self.adversary.groups, self.adversary.classes if self.adversary.knows_truth else 1
        cell = (truth.clamp(min=0) * groups if self.adversary.knows_truth else 0) + codes.clamp(min=0)
        rows = torch.zeros(classes * groups, device=held.device).index_add(0, cell, held).reshape(classes, groups)
        share = rows / rows.sum(dim=1, keepdim=True).clamp(min=_EPSILON)
        return -(rows * share.clamp(min=_EPSILON).log()).sum() / total
