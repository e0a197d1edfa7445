"""The attribution methods: as Captum computes them, or faster to the same end where a test says how near."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from captum.attr import (
    FeatureAblation,
    FeaturePermutation,
    GradientShap,
    InputXGradient,
    LayerGradientXActivation,
    ShapleyValueSampling,
)
from torch import Tensor, nn

from glassbench_audits.attribution.deep_lift import deep_lift
from glassbench_audits.attribution.explained import Explained
from glassbench_audits.attribution.grad_cam import last_convolution
from glassbench_audits.attribution.gradients import layer_path_integral, path_integral, summed_gradients
from glassbench_audits.attribution.image_methods import IMAGE_METHODS
from glassbench_audits.attribution.method import Method, MethodName, Request
from glassbench_audits.attribution.shapley import MOST_EXACT, exact_shapley, kernel_shap
from glassbench_audits.attribution.tree_shap import MOST_LEAVES, leaves_of, tree_shap


def integrated_gradients(request: Request) -> Tensor:
    """Integrate the gradient from the baseline to the row: at the input, or at the layer named."""
    integral = path_integral if request.explained.layer is None else layer_path_integral
    return integral(request.explained, request.rows, request.baselines, request.steps)


def gradient_shap(request: Request) -> Tensor:
    """Average the gradient over random points between the row and baselines drawn from a sample."""
    method = GradientShap(request.model)
    method.gradient_func = summed_gradients
    return _tensor(method.attribute(**request.common, baselines=request.baselines, n_samples=request.samples, stdevs=0.0))


def input_x_gradient(request: Request) -> Tensor:
    """Multiply the input (or the layer's activation) with the gradient there."""
    layer = request.explained.layer
    if layer is not None:
        return _tensor(LayerGradientXActivation(request.model, layer).attribute(**request.common))
    method = InputXGradient(request.model)
    method.gradient_func = summed_gradients
    return _tensor(method.attribute(**request.common))


def feature_ablation(request: Request) -> Tensor:
    """Put one unit after the other to its baseline."""
    return _tensor(FeatureAblation(request.model).attribute(**request.common, **request.masked, baselines=request.baselines))


def shapley_value_sampling(request: Request) -> Tensor:
    """Average each unit's contribution over random orders of joining."""
    return _tensor(
        ShapleyValueSampling(request.model).attribute(
            **request.common, **request.masked, baselines=request.baselines, n_samples=request.samples
        )
    )


def feature_permutation(request: Request) -> Tensor:
    """Shuffle one unit after the other among the rows, several times, and average."""
    method = FeaturePermutation(request.model)
    shuffles = [method.attribute(**request.common, **request.masked) for _ in range(request.samples)]
    return _tensor(torch.stack(shuffles).mean(dim=0))


AUTO_EXACT = 8
"""Units up to which `auto` asks every set of them: as many evaluations as it spends on drawn ones beyond."""

_SHIFT = "of the explained output's change from the baseline to the row"

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="integrated-gradients",
            call=integrated_gradients,
            gradients=True,
            sums=True,
            per_row=lambda steps, samples: steps,
            reference="Sundararajan, Taly, Yan (2017), Axiomatic attribution for deep networks; Captum",
            sentence=f"an input's share {_SHIFT}, from the gradient along the straight line between them",
        ),
        Method(
            name="deep-lift",
            call=deep_lift,
            gradients=True,
            sums=True,
            reference="Shrikumar, Greenside, Kundaje (2017), Learning important features; Captum",
            sentence=f"an input's share {_SHIFT}, propagated through differences of activations",
        ),
        Method(
            name="gradient-shap",
            call=gradient_shap,
            gradients=True,
            sums=True,
            random=True,
            samples=200,
            per_row=lambda steps, samples: samples,
            reference="Lundberg, Lee (2017), A unified approach to interpreting model predictions; Captum",
            sentence=f"an input's share {_SHIFT}, averaged over random baselines and points on the way",
        ),
        Method(
            name="input-x-gradient",
            call=input_x_gradient,
            gradients=True,
            sums=True,
            reference="Shrikumar et al. (2016), Not just a black box; Captum",
            sentence="the gradient at the row times the input: a first-order guess of an input's share",
        ),
        Method(
            name="feature-ablation",
            call=feature_ablation,
            gradients=False,
            sums=False,
            grouped=True,
            rows=256,
            reference="Zeiler, Fergus (2014), Visualizing and understanding convolutional networks; Captum",
            sentence="how far the explained output falls when the input is put to its baseline, all others kept",
        ),
        Method(
            name="shapley-value-sampling",
            call=shapley_value_sampling,
            gradients=False,
            sums=True,
            random=True,
            grouped=True,
            rows=128,
            samples=25,
            reference="Strumbelj, Kononenko (2010), An efficient explanation of individual classifications; Captum",
            sentence=f"an input's share {_SHIFT}, averaged over random orders in which inputs become known",
        ),
        Method(
            name="kernel-shap",
            call=kernel_shap,
            gradients=False,
            sums=True,
            random=True,
            grouped=True,
            rows=256,
            samples=512,
            reference="Lundberg, Lee (2017), A unified approach to interpreting model predictions; Covert, Lee (2021)",
            sentence=f"an input's share {_SHIFT}: Shapley values fitted over coalitions of inputs, the same for all rows",
        ),
        Method(
            name="exact-shapley",
            call=exact_shapley,
            gradients=False,
            sums=True,
            grouped=True,
            rows=256,
            reference="Shapley (1953), A value for n-person games; Lundberg, Lee (2017)",
            sentence=f"an input's share {_SHIFT}, averaged over every order in which inputs become known",
        ),
        Method(
            name="tree-shap",
            call=tree_shap,
            gradients=False,
            sums=True,
            grouped=True,
            reference="Lundberg et al. (2020), From local explanations to global understanding with explainable AI for trees",
            sentence=f"an input's share {_SHIFT}, averaged over every order in which inputs become known, read off the trees",
        ),
        Method(
            name="feature-permutation",
            call=feature_permutation,
            gradients=False,
            sums=False,
            random=True,
            grouped=True,
            samples=20,
            reference="Breiman (2001), Random forests; Captum",
            sentence="how far the explained output falls when the input is exchanged with another row's",
        ),
        *IMAGE_METHODS,
    )
}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed NumPy's and torch's global generators, which Captum draws from, and put them back afterwards."""
    state = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(state)


def chunk_rows(method: Method, explained: Explained, steps: int, samples: int) -> int:
    """Return how many rows one call takes: all where rows are exchanged or share their coalitions."""
    if method.name in ("feature-permutation", "kernel-shap"):
        return 10**9
    return max(1, explained.pass_rows // method.per_row(steps, samples))


def unavailable(method: Method, explained: Explained, inputs: Tensor, units: int, *, differentiable: bool) -> str | None:
    """Return in words why a method cannot explain such a model, or None."""
    if method.images and inputs.ndim != 4:
        return f"{method.name} looks at images, and these inputs are none"
    if method.convolution and last_convolution(explained.model) is None:
        return f"{method.name} needs a convolution to stand on, and this model has none"
    if method.name == "tree-shap" and explained.trees is None:
        return "tree-shap needs an output that is a sum of trees: values, or boosted trees of two classes"
    if not method.gradients:
        return _unaffordable(method, units)
    if not differentiable:
        return f"{method.name} needs gradients, and this model gives none; method 'auto' chooses one that does not"
    if explained.layer is None and not inputs.is_floating_point():
        return f"{method.name} needs inputs that are not whole numbers, or a model that names its attribution_layer"
    if explained.layer is not None and method.name == "gradient-shap":
        return "gradient-shap moves the inputs themselves, which a model with an attribution_layer does not allow"
    return None


def _unaffordable(method: Method, units: int) -> str | None:
    if method.name == "exact-shapley" and units > MOST_EXACT:
        return f"exact-shapley asks every set of inputs, and {units} are more than {MOST_EXACT}; kernel-shap draws some of them"
    return "kernel-shap needs at least two inputs to tell apart" if method.name == "kernel-shap" and units < 2 else None


def choose_method(explained: nn.Module, differentiable: bool, floating: bool, units: int) -> MethodName:
    """Return the method `auto` stands for.

    Integrated gradients where the model can be differentiated (at its inputs or at the layer it names); else Shapley
    values, read off trees where the output is their sum, exact for few units and fitted up to 64, and ablation beyond, whose cost
    grows with the units alone.
    """
    if differentiable and (floating or getattr(explained, "layer", None) is not None):
        return "integrated-gradients"
    trees = getattr(explained, "trees", None)
    if trees is not None and leaves_of(trees) <= MOST_LEAVES:
        return "tree-shap"
    if units <= AUTO_EXACT:
        return "exact-shapley"
    return "kernel-shap" if units <= 64 else "feature-ablation"


def _tensor(result: Any) -> Tensor:
    """Return Captum's result, which layers may wrap in a tuple, as one detached tensor."""
    tensor: Tensor = result[0] if isinstance(result, tuple) else result
    return tensor.detach()
