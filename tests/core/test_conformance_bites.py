"""The suites for plugin authors notice components that break a promise."""

import random
from dataclasses import replace
from types import ModuleType
from typing import ClassVar

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from glassbench import AuditResult, Chart, Fitted, Measure, Method, ModelSpec, Table, Trainer, hookimpl
from glassbench.testing import (
    check_audit,
    check_dataset,
    check_model,
    check_plugin,
    check_tracker,
    check_trainer,
    toy_data,
    toy_model,
)


class Plain(nn.Module):
    def __init__(self, schema):
        super().__init__()
        self.body = toy_model(schema)

    def forward(self, rows):
        return self.body(rows)


class InPlace(Plain):
    def forward(self, rows):
        return self.body(rows.mul_(1.5))


class Detached(Plain):
    def forward(self, rows):
        return self.body(rows.detach())


class Probable(Plain):
    def forward(self, rows):
        return self.body(rows).softmax(dim=1)


class Double(Plain):
    def forward(self, rows):
        return self.body(rows).double()


class Switching(Plain):
    def forward(self, rows):
        self.train()
        return self.body(rows)


class Forgetful(Plain):
    def __init__(self, schema):
        super().__init__(schema)
        self.shift = float(torch.rand(1))

    def forward(self, rows):
        if self.training:
            self.shift += 0.01
        return self.body(rows) + torch.tensor([self.shift, 0.0])


class Odd(LogisticRegression):
    pass


class Shifting(LogisticRegression):
    def fit(self, rows, target):
        rows += 1
        return super().fit(rows, target)


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        (InPlace, "change its inputs"),
        (Detached, "gradients"),
        (Probable, "logits, not probabilities"),
        (Double, "float32"),
        (Switching, "training mode"),
        (Forgetful, "all it has learnt"),
        (lambda schema: Shifting(), "change the rows"),
    ],
)
def test_models(factory, said):
    check_model(Plain, data=toy_data())
    with pytest.raises(AssertionError, match=said):
        check_model(factory, data=toy_data())


class Means(nn.Module):
    """Fits itself: the nearest mean of a class."""

    facts: ClassVar[dict] = {}

    def __init__(self, schema):
        super().__init__()
        self.means = nn.Parameter(torch.zeros(len(schema.target.classes), schema.shape[0]), requires_grad=False)

    def fit(self, rows, target=None):
        self.means.copy_(torch.as_tensor(np.stack([rows[target == k].mean(axis=0) for k in range(len(self.means))])))

    def forward(self, rows):
        return -torch.cdist(rows, self.means)


class Shifted(Means):
    def fit(self, rows, target=None):
        rows += 1
        super().fit(rows, target)


class Drifting(Means):
    count = 0

    def fit(self, rows, target=None):
        super().fit(rows, target)
        Drifting.count += 1
        self.means += Drifting.count


class Aside(Means):
    def fit(self, rows, target=None):
        super().fit(rows, target)
        self.aside = torch.ones(1)

    def forward(self, rows):
        return super().forward(rows) * getattr(self, "aside", torch.zeros(1))


@pytest.mark.parametrize(
    ("factory", "said"), [(Shifted, "change the rows"), (Drifting, "same weights"), (Aside, "all it has learnt")]
)
def test_networks_that_fit_themselves(factory, said):
    check_model(Means, data=[toy_data(), toy_data(classes=3)])
    with pytest.raises(AssertionError, match=said):
        check_model(factory, data=toy_data())


def test_an_estimator_of_an_unknown_type_is_stored_and_loaded_where_it_is_trusted():
    made = lambda schema: Odd()  # noqa: E731
    with pytest.raises(Exception, match="types that are not trusted"):
        check_model(made, data=toy_data())
    check_model(made, data=toy_data(), trusts=(f"{Odd.__module__}.Odd",))


def result(**parts):
    return AuditResult(method=Method(summary="."), **parts)


def writes_inputs(subject):
    subject.predictions.source.inputs[0].add_(1)
    return result()


def writes_target(subject):
    subject.train.target.zero_()
    return result()


def leaves_gradients(subject):
    subject.model(*subject.predictions.source.inputs).sum().backward()
    return result()


def freezes(subject):
    for parameter in subject.model.parameters():
        parameter.requires_grad_(False)
    return result()


def stops_gradients(subject):
    torch.set_grad_enabled(False)
    return result()


def widens(subject):
    torch.set_default_dtype(torch.float64)
    return result()


def draws(subject):
    return result(measures=(Measure(name="draws.a", value=float(np.random.random()) + random.random()),))


def repeats(subject):
    return result(measures=(Measure(name="repeats.a", value=1.0), Measure(name="repeats.a", value=2.0)))


def hides(subject):
    return result(measures=(Measure(name="hides.b", value=1.0),))


def ragged(subject):
    return result(tables=(Table(title="t", columns=("a", "b"), rows=((1, 2), (3,))),))


def pie(subject):
    return result(charts=(Chart(kind="pie", title="t", message="m", rows=()),))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (writes_inputs, "leave the subject"),
        (writes_target, "leave the subject"),
        (leaves_gradients, "leave the subject"),
        (freezes, "leave the subject"),
        (stops_gradients, "gradient mode"),
        (widens, "default dtype"),
        (draws, "same result"),
        (repeats, "twice"),
        (hides, "does not name"),
    ],
)
def test_audits(function, said):
    with pytest.raises(AssertionError, match=said):
        check_audit(function, function.__name__, measures=("a",))


@pytest.mark.parametrize(("function", "said"), [(ragged, "row 1 has 1 cells"), (pie, "no known kind")])
def test_evidence_of_a_wrong_shape_cannot_be_made(function, said):
    with pytest.raises(ValueError, match=said):
        check_audit(function, function.__name__)


def unseeded(seed):
    return toy_data(seed=0)


def overlapping(seed):
    data = toy_data(seed=seed)
    return replace(data, test=data.validation)


def unknown_positive(seed):
    data = toy_data(seed=seed)
    return replace(data, schema=replace(data.schema, target=replace(data.schema.target, positive="maybe")))


def bad_columns(seed):
    data = toy_data(seed=seed)
    features = tuple(replace(feature, columns=(0,)) for feature in data.schema.features)
    return replace(data, schema=replace(data.schema, features=features))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (unseeded, "another seed"),
        (overlapping, "in two splits"),
        (unknown_positive, "positive class 'maybe'"),
        (bad_columns, "each once"),
    ],
)
def test_datasets(function, said):
    check_dataset(lambda seed: toy_data(seed=seed))
    with pytest.raises(AssertionError, match=said):
        check_dataset(function)


class Peeking(Trainer):
    """Descends on the test rows too, or says what cannot be written."""

    def __init__(self, facts=None, split="test"):
        self.facts, self.split = facts or {}, split

    def fit(self, model, task, data, workspace):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for split in (data.train, getattr(data, self.split)) * 20:
            batch = split.batch(slice(None))
            loss = task.loss(model(*batch.inputs), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        workspace.record({"step": 1, "loss": 0.0})
        return Fitted(model=model.eval(), facts=self.facts)


def test_trainers():
    check_trainer(Peeking(split="train"), toy_model)
    with pytest.raises(AssertionError, match="whatever the test split holds"):
        check_trainer(Peeking(), toy_model)
    with pytest.raises(AssertionError, match="JSON values"):
        check_trainer(Peeking({"device": object()}, split="train"), toy_model)


def plugin(**names):
    module = ModuleType("by_feature")
    vars(module).update(names)
    return module


def models(*specs):
    def glassbench_models():
        return list(specs)

    return glassbench_models


def spec(name="a"):
    return ModelSpec(name=name, summary="A model.", target="json:loads")


def misused(where):
    return []


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (plugin(), "no hook"),
        (plugin(glassbench_models=models(spec())), "not marked @hookimpl"),
        (plugin(glassbench_models=hookimpl(models(spec(), spec()))), "offered twice"),
        (plugin(glassbench_models=hookimpl(misused)), "does not give"),
        (plugin(glassbench_modells=hookimpl(models())), "unknown hooks"),
    ],
)
def test_plugins(module, said):
    with pytest.raises(AssertionError, match=said):
        check_plugin(module)


def test_an_illegal_name_is_refused():
    with pytest.raises(ValueError, match="no component name"):
        check_plugin(plugin(glassbench_models=hookimpl(models(spec("A b")))))


class Follower:
    def __init__(self, run, *, file: str = "heard.txt"):
        self.run = run

    def metric(self, record):
        pass

    def audited(self, result):
        pass

    def finished(self, verdict, report):
        (self.run.output / "report").write_bytes(report.read_bytes())

    def failed(self, error):
        pass


class Raising(Follower):
    def audited(self, result):
        max(measure.value for measure in result.measures)


class Stray(Follower):
    def finished(self, verdict, report):
        (self.run.folder / "mine.txt").write_text(verdict)


class Meddling(Follower):
    def metric(self, record):
        random.seed(1)
        torch.set_grad_enabled(False)


class Deaf(Follower):
    failed = None


class Narrow(Follower):
    def finished(self, verdict):
        pass


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        (Raising, "told 'audited'"),
        (Stray, "run.output"),
        (Meddling, "gradient mode"),
        (Deaf, "the method failed"),
        (Narrow, "takes other arguments"),
    ],
)
def test_trackers(factory, said):
    check_tracker(Follower)
    with pytest.raises(AssertionError, match=said):
        check_tracker(factory)
