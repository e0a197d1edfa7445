"""Times explanations and their self-tests against Captum, shap and quantus, beside each other on the same network.

    OMP_NUM_THREADS=1 python tests/benchmarks/explanations.py --repeats 5
    python tests/benchmarks/explanations.py --only kernel

Peers that are not installed are left out (`pip install shap quantus`). It prints processor seconds per row, medians over the
repeats, and for Shapley values the error against exact ones.
"""

import argparse
import importlib.util
import statistics
import time
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import torch
from captum import attr, metrics
from torch import Tensor, nn

from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench_audits.attribution.baseline import Baseline
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.feature_groups import feature_groups_of
from glassbench_audits.attribution.methods import METHODS, seeded
from glassbench_audits.explain.checks.stability import RADIUS, largest_moves, perturbed

Job = Callable[[], np.ndarray]

ALIKE = 8
"""Rows over which errors are compared: those that the slowest explains."""


class AsItIs:
    """A task that explains the output as it is."""

    kind = Values()

    def attribution_output(self, output: Tensor) -> Tensor:
        return output


def table_network(width: int) -> nn.Module:
    """Return a network that bends where rows are, so that Shapley values are no mere gradients."""
    torch.manual_seed(0)
    layers = [nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)]
    for layer in layers[::2]:
        nn.init.xavier_normal_(layer.weight, gain=2.0)
    return nn.Sequential(*layers).eval()


def picture_network() -> nn.Module:
    """Return a small convolutional network for 28 x 28 pixels."""
    torch.manual_seed(0)
    convolutions = [nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(400, 10)).eval()


def rows_of(shape: tuple[int, ...], n: int) -> Rows:
    """Return rows of noise, explained in turn for each of two outputs."""
    inputs = torch.randn(n, *shape, generator=torch.Generator().manual_seed(1))
    return Rows(inputs=inputs, target_index=torch.arange(n) % 2)


def explainer_of(network: nn.Module, method: str, shape: tuple[int, ...], samples: int = 0) -> Explainer:
    """Return what the audit would explain with, against a baseline of zeros."""
    features = tuple(Feature(name=f"x{i}", columns=(i,)) for i in range(shape[0])) if len(shape) == 1 else ()
    schema = Schema(modality="table", shape=shape, target=Target(name="y", kind="value"), features=features)
    return Explainer(
        explained=Explained(network, AsItIs()),
        method=METHODS[method],
        baseline=Baseline(name="zero", values=torch.zeros(1, *shape)),
        feature_groups=feature_groups_of(schema, shape),
        steps=50,
        samples=samples,
        seed=0,
    )


def compare(title: str, jobs: Mapping[str, tuple[int, Job]], repeats: int, truth: np.ndarray | None = None) -> None:
    """Run each job `repeats` times in turn, ours first, and print seconds per row, their ratio to ours, and the error."""
    print(f"\n{title}")
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    results: dict[str, np.ndarray] = {}
    for _ in range(repeats):
        for name, (rows, job) in jobs.items():
            started = time.process_time()
            results[name] = job()
            seconds[name].append((time.process_time() - started) / rows)
    ours = next(iter(jobs))
    for name, times in seconds.items():
        ratio = statistics.median(theirs / own for theirs, own in zip(times, seconds[ours], strict=True))
        error = "" if truth is None else f"   error {np.abs(results[name][:ALIKE] - truth[:ALIKE]).mean():.5f}"
        print(f"  {name:44s} {statistics.median(times) * 1e3:10.4f} ms a row   {ratio:8.2f} times ours{error}")


def kernel(repeats: int, width: int = 12, samples: int = 200) -> None:
    """Kernel SHAP at equal samples; the error is the mean over rows and inputs against exact Shapley values."""
    network, rows = table_network(width), rows_of((width,), 256)
    truth = explainer_of(network, "exact-shapley", (width,)).per_feature_group(rows)
    explainer = explainer_of(network, "kernel-shap", (width,), samples)
    jobs: dict[str, tuple[int, Job]] = {
        "glassbench kernel-shap": (256, lambda: explainer.per_feature_group(rows)),
        "glassbench exact-shapley": (256, lambda: explainer_of(network, "exact-shapley", (width,)).per_feature_group(rows)),
        "captum KernelShap": (ALIKE, lambda: _captum_kernel(network, rows, samples, perturbations=1)),
        "captum KernelShap, one pass": (ALIKE, lambda: _captum_kernel(network, rows, samples, perturbations=samples)),
    }
    if importlib.util.find_spec("shap"):
        jobs["shap KernelExplainer"] = (32, lambda: _shap_kernel(network, rows, samples))
    compare(f"Kernel SHAP, {width} inputs, {samples} samples", jobs, repeats, truth)


def _captum_kernel(network: nn.Module, rows: Rows, samples: int, perturbations: int) -> np.ndarray:
    with seeded(0):
        parts = [
            attr.KernelShap(network).attribute(
                rows.inputs[i : i + 1],
                target=rows.target_index[i : i + 1],
                n_samples=samples,
                perturbations_per_eval=perturbations,
            )
            for i in range(ALIKE)
        ]
    return torch.cat(parts).numpy()


def _shap_kernel(network: nn.Module, rows: Rows, samples: int) -> np.ndarray:
    import shap

    def answer(values: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.as_tensor(values, dtype=torch.float32)).numpy()

    np.random.seed(0)
    rule = shap.KernelExplainer(answer, np.zeros((1, rows.inputs.shape[1])))
    both = rule.shap_values(rows.inputs[:32].numpy(), nsamples=samples, l1_reg=False, silent=True)
    return both[np.arange(32), :, rows.target_index[:32].numpy()]


def gradients(repeats: int) -> None:
    """Integrated gradients, 50 steps, against every batch size of Captum's own."""
    for name, network, shape, n in (
        ("table, 20 inputs", table_network(20), (20,), 512),
        ("pictures, 28 x 28", picture_network(), (1, 28, 28), 32),
    ):
        rows, explainer = rows_of(shape, n), explainer_of(network, "integrated-gradients", shape)
        jobs: dict[str, tuple[int, Job]] = {"glassbench integrated-gradients": (n, _raw(explainer, rows))}
        for size in (None, 256, 1024, 4096, 16384):
            jobs[f"captum, internal_batch_size {size}"] = (n, _captum_gradients(network, rows, size))
        if importlib.util.find_spec("shap"):
            jobs["shap GradientExplainer, 50 samples"] = (min(n, 64), _shap_gradients(network, rows, min(n, 64)))
        compare(f"Integrated gradients, {name}", jobs, repeats)


def _raw(explainer: Explainer, rows: Rows) -> Job:
    return lambda: explainer.raw(rows).numpy()


def _captum_gradients(network: nn.Module, rows: Rows, size: int | None) -> Job:
    def run() -> np.ndarray:
        method = attr.IntegratedGradients(network)
        return method.attribute(rows.inputs, target=rows.target_index, n_steps=50, internal_batch_size=size).detach().numpy()

    return run


def _shap_gradients(network: nn.Module, rows: Rows, n: int) -> Job:
    import shap

    def run() -> np.ndarray:
        rule = shap.GradientExplainer(network, torch.zeros(2, *rows.inputs.shape[1:]))
        return np.asarray(rule.shap_values(rows.inputs[:n], nsamples=50))

    return run


def sensitivity(repeats: int, n: int = 64, draws: int = 10) -> None:
    """Max-sensitivity of integrated gradients, ten draws a row."""
    network, rows = table_network(20), rows_of((20,), n)
    explainer = explainer_of(network, "integrated-gradients", (20,))
    jobs: dict[str, tuple[int, Job]] = {"glassbench": (n, lambda: _moves(explainer, rows))}
    for size in (None, 4096):
        jobs[f"captum sensitivity_max, internal_batch_size {size}"] = (n, _captum_sensitivity(network, rows, draws, size))
    if importlib.util.find_spec("quantus"):
        jobs["quantus MaxSensitivity"] = (n, _quantus_sensitivity(network, rows, draws))
    compare(f"Max-sensitivity of integrated gradients, 20 inputs, {draws} draws", jobs, repeats)


def _moves(explainer: Explainer, rows: Rows) -> np.ndarray:
    attributions = explainer.per_feature_group(rows)
    return largest_moves(attributions, perturbed(explainer, rows, np.random.default_rng(0))) / np.linalg.norm(
        attributions, axis=1
    )


def _captum_sensitivity(network: nn.Module, rows: Rows, draws: int, size: int | None) -> Job:
    def run() -> np.ndarray:
        attribute = attr.IntegratedGradients(network).attribute
        found = metrics.sensitivity_max(
            attribute,
            rows.inputs,
            perturb_radius=RADIUS,
            n_perturb_samples=draws,
            target=rows.target_index,
            n_steps=50,
            internal_batch_size=size,
        )
        return found.numpy()

    return run


def _quantus_sensitivity(network: nn.Module, rows: Rows, draws: int) -> Job:
    import quantus

    def explain(model: nn.Module, inputs: np.ndarray, targets: np.ndarray, **settings: object) -> np.ndarray:
        values = torch.as_tensor(np.asarray(inputs), dtype=torch.float32).reshape(len(inputs), -1)
        index = torch.as_tensor(np.asarray(targets))
        return (
            attr.IntegratedGradients(network).attribute(values, target=index, n_steps=50).detach().numpy().reshape(inputs.shape)
        )

    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, inputs: Tensor) -> Tensor:
            return self.network(inputs.flatten(1))

    pictures = rows.inputs[:, None, None].numpy()  # quantus wants channels and two axes
    targets = np.asarray(rows.target_index)

    def run() -> np.ndarray:
        measure = quantus.MaxSensitivity(nr_samples=draws, lower_bound=RADIUS, disable_warnings=True, display_progressbar=False)
        found = measure(model=Flat(), x_batch=pictures, y_batch=targets, explain_func=explain, channel_first=True, batch_size=64)
        return np.asarray(found)

    return run


PARTS = {"kernel": kernel, "gradients": gradients, "sensitivity": sensitivity}


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=PARTS, default=None)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for name, part in PARTS.items():
        if arguments.only in (None, name):
            part(arguments.repeats)


if __name__ == "__main__":
    main()
