"""Densities are densities: they add up to one, agree with scikit-learn's, and refuse what has none."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity

from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema
from glassbench.contracts.trainer import Workspace
from glassbench.errors import DataError, FitError
from glassbench.testing import check_task
from glassbench.toolkit.table.table import NOTHING
from glassbench_plugins.clustering.datasets import moons
from glassbench_plugins.clustering.mixture import gaussian_mixture
from glassbench_plugins.density.flow import Whitening, flow
from glassbench_plugins.density.kernel import kernel_density
from glassbench_plugins.density.spline import spline
from glassbench_plugins.density.task import Density, log_density, log_likelihood
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer

DATA = moons(1, rows=600)
TRAIN, TEST = (split.inputs[0].double().numpy() for split in (DATA.train, DATA.test))


def fit(model, data=DATA, trainer=None, folder="unused"):
    task = Density()
    task.check(data.schema)
    workspace = Workspace(seed=3, folder=Path(folder), record=lambda line: None)
    return task, (trainer or EstimatorTrainer()).fit(model, task, data, workspace)


def mean_of(task, fitted, data=DATA):
    frame = task.predict(fitted.model, data.test).frame
    return log_likelihood(frame, np.ones((1, len(frame))))[0]


def bent_flow(**settings):
    """Return a flow of which every part does something, as after a training."""
    torch.manual_seed(2)
    model = flow(DATA.schema, layers=4, hidden=8, **settings).eval()
    model.prepare(TRAIN)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            strong = name.startswith("layers") and model.layers[0].bins
            parameter.add_((0.3 if strong else 0.1) * torch.randn_like(parameter))
    return model


def table(rows):
    split = Split((torch.as_tensor(rows, dtype=torch.float32),), np.arange(len(rows)))
    return Data(
        schema=Schema(modality="table", shape=(rows.shape[1],), target=NOTHING), train=split, validation=split, test=split
    )


@pytest.mark.slow
@pytest.mark.parametrize("coupling", ["spline", "affine"])
def test_a_flow_adds_up_to_one(coupling):
    side = torch.linspace(-7, 7, 701)  # outside the splines' bounds it is a normal distribution
    grid = torch.cartesian_prod(side, side)
    with torch.no_grad():
        density = torch.cat([bent_flow(coupling=coupling)(part).exp() for part in grid.split(100_000)])
    assert float(density.sum() * (side[1] - side[0]) ** 2) == pytest.approx(1, abs=0.01)


def test_a_flow_begins_as_scikit_learns_mixture_of_whitened_rows():
    model = flow(DATA.schema, layers=2, hidden=8, components=6)
    torch.manual_seed(3)
    model.prepare(TRAIN)
    torch.manual_seed(3)
    seed = int(torch.randint(2**31, ()))  # scikit-learn's search begins somewhere else in other axes
    root = np.linalg.inv(np.linalg.cholesky(np.cov(TRAIN.T))).T
    rows, held_out = ((part - TRAIN.mean(axis=0)) @ root for part in (TRAIN, TEST))
    found = (GaussianMixture(k, max_iter=300, random_state=seed).fit(rows) for k in range(1, 7))
    best = min(found, key=lambda mixture: mixture.bic(rows))
    expected = best.score_samples(held_out) + np.linalg.slogdet(root)[1]
    np.testing.assert_allclose(model(DATA.test.inputs[0]).detach().numpy(), expected, atol=1e-3)


def begun(seed):
    """Return the log-densities of a flow before its training."""
    torch.manual_seed(seed)
    model = flow(DATA.schema, layers=2, hidden=8)
    model.prepare(TRAIN)
    return model(DATA.test.inputs[0]).detach()


def test_a_beginning_follows_from_the_seed_of_pytorch_alone():
    np.random.seed(1)
    first = begun(5)
    np.random.seed(2)
    torch.testing.assert_close(begun(5), first, rtol=0, atol=0)
    assert not torch.equal(begun(6), first)


def test_whitened_rows_have_the_unit_matrix_for_a_covariance():
    rows = TRAIN @ np.array([[1.0, 0.9], [0.0, 0.1]])  # the columns nearly follow from each other
    whitening = Whitening(2).double()
    whitening.settle(rows)
    image, volume = whitening(torch.as_tensor(rows))
    np.testing.assert_allclose(np.cov(image.detach().numpy().T), np.eye(2), atol=0.02)
    jacobian = torch.autograd.functional.jacobian(lambda x: whitening(x[None])[0][0], torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(volume[0], torch.linalg.slogdet(jacobian)[1])


def test_a_new_flow_is_a_standard_normal_distribution():
    rows = torch.randn(20, 2)
    expected = multivariate_normal(np.zeros(2)).logpdf(rows.double().numpy())
    np.testing.assert_allclose(flow(DATA.schema)(rows).detach().numpy(), expected, rtol=1e-4)


def test_the_volume_of_a_coupling_is_that_of_its_jacobian():
    model = bent_flow().double()
    row = torch.randn(1, 2, dtype=torch.float64)
    layer = model.layers[1]
    jacobian = torch.autograd.functional.jacobian(lambda x: layer(x[None])[0][0], row[0])
    assert float(layer(row)[1].detach()) == pytest.approx(float(torch.linalg.slogdet(jacobian)[1]), abs=1e-6)


def test_a_spline_rises_and_tells_its_slope():
    x = torch.linspace(-5, 5, 400, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(0)
    image, log_slope = spline(x, torch.randn(23, dtype=torch.float64).expand(400, 23), 4.0)
    slope = torch.autograd.grad(image.sum(), x)[0]
    assert bool((image.diff() > 0).all())
    torch.testing.assert_close(log_slope, slope.log())


def test_a_flow_learns_the_moons(tmp_path):
    trainer = LightningTrainer(max_epochs=25, learning_rate=0.004, threads=1)
    learnt = mean_of(*fit(flow(DATA.schema, layers=4, hidden=32), trainer=trainer, folder=tmp_path))
    one = multivariate_normal(TRAIN.mean(axis=0), np.cov(TRAIN.T)).logpdf(TEST).mean()
    assert learnt > one + 0.5


def test_a_flow_is_never_worse_on_the_validation_rows_than_the_mixture_it_begins_as(tmp_path):
    held_out = DATA.validation.inputs[0]
    torch.manual_seed(3)
    model = flow(DATA.schema, layers=2, hidden=8)
    model.prepare(TRAIN)
    began = float(model(held_out).mean().detach())
    model.prepare = None  # what it begins as is known; it should not search anew
    trainer = LightningTrainer(max_epochs=2, learning_rate=0.3, threads=1)  # far too fast
    _, fitted = fit(model, trainer=trainer, folder=tmp_path)
    assert fitted.facts["best_epoch"] == -1
    assert float(fitted.model(held_out).mean().detach()) == pytest.approx(began, abs=1e-6)


def test_kernel_density_is_scikit_learns():
    task, fitted = fit(kernel_density(DATA.schema, bandwidth=0.3))
    expected = KernelDensity(bandwidth=0.3).fit(TRAIN).score_samples(TEST)
    np.testing.assert_allclose(task.predict(fitted.model, DATA.test).frame["score"], expected, rtol=1e-9)


def test_the_bandwidth_is_as_good_as_a_finer_search_finds():
    task, fitted = fit(kernel_density(DATA.schema))
    best = GridSearchCV(KernelDensity(), {"bandwidth": np.geomspace(0.02, 1, 40)}, cv=5).fit(TRAIN).best_estimator_
    assert mean_of(task, fitted) == pytest.approx(best.score(TEST) / len(TEST), abs=0.03)


def test_a_mixture_is_scikit_learns():
    task, fitted = fit(gaussian_mixture(DATA.schema, clusters=5))
    expected = GaussianMixture(5, random_state=3).fit(TRAIN).score_samples(TEST)
    np.testing.assert_allclose(task.predict(fitted.model, DATA.test).frame["score"], expected, rtol=1e-9)


def test_log_density_sums_over_components():
    joint = torch.tensor([[0.2, 0.3], [0.1, 0.5]]).log()
    torch.testing.assert_close(log_density(joint).exp(), torch.tensor([0.5, 0.6]))


def test_the_task_keeps_its_promises():
    check_task(Density(), DATA, flow(DATA.schema, layers=2, hidden=8))


def test_tokens_have_no_density():
    with pytest.raises(DataError, match="tokens have no density"):
        Density().check(Schema(modality="text", shape=(None,), target=NOTHING))


def test_too_few_rows_to_choose_a_bandwidth():
    data = table(np.arange(6.0).reshape(3, 2))
    with pytest.raises(FitError, match="too few rows to choose a bandwidth"):
        fit(kernel_density(data.schema), data)


@pytest.mark.parametrize("model", [flow, lambda s: kernel_density(s), lambda s: gaussian_mixture(s, clusters=1)])
def test_a_constant_column_is_borne(model, tmp_path):
    data = table(np.column_stack([np.random.default_rng(0).normal(size=80), np.zeros(80)]))
    trainer = LightningTrainer(max_epochs=2, threads=1) if model is flow else None
    assert np.isfinite(mean_of(*fit(model(data.schema), data, trainer, tmp_path), data))
