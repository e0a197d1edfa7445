"""What a method of attribution is, and what it is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from glassbench_audits.attribution.explained import Explained, Picked, Rows

MethodName = Literal[
    "integrated-gradients",
    "deep-lift",
    "gradient-shap",
    "input-x-gradient",
    "feature-ablation",
    "shapley-value-sampling",
    "kernel-shap",
    "exact-shapley",
    "tree-shap",
    "feature-permutation",
    "saliency",
    "grad-cam",
    "guided-grad-cam",
    "occlusion",
]


@dataclass(frozen=True, eq=False, kw_only=True)
class Request:
    """One call of a method.

    Args:
        explained: The model.
        rows: The rows of this call.
        baselines: One baseline per row `(n, ...)`; for gradient SHAP the sample `(k, ...)` it draws from.
        mask: Unit of each element, shaped like one row, for the methods that switch whole units off.
        steps: Points of the integral of integrated gradients.
        samples: Draws of the sampling methods.
    """

    explained: Explained
    rows: Rows
    baselines: Tensor
    mask: Tensor
    steps: int
    samples: int

    @property
    def common(self) -> dict[str, Any]:
        """The arguments that every Captum method takes."""
        inputs = self.rows.inputs
        if self.rows.inputs.is_floating_point():
            inputs = inputs.detach().clone().requires_grad_()
        others = self.rows.others if self.rows.target_index is None else (*self.rows.others, self.rows.target_index)
        return {"inputs": inputs, "additional_forward_args": others or None}

    @property
    def model(self) -> nn.Module:
        """What Captum calls: a module that gives one number per row."""
        return self.explained if self.rows.target_index is None else Picked(self.explained)

    @property
    def masked(self) -> dict[str, Any]:
        """The further arguments of methods that switch units off, as many at once as one pass holds."""
        at_once = max(1, self.explained.pass_rows // max(len(self.rows), 1))
        return {"feature_mask": self.mask[None], "perturbations_per_eval": at_once}


@dataclass(frozen=True, eq=False, kw_only=True)
class Method:
    """What is known of a method.

    Args:
        name: As the experiment writes it.
        call: From a request to Captum's attributions `(n, ...)`.
        gradients: Whether it differentiates the model.
        sums: Whether its attributions should sum to the output minus the output at the baseline.
        random: Whether it draws at random.
        grouped: Whether each element already carries the attribution of its whole unit.
        rows: Rows it can afford for the global picture.
        samples: Draws it takes unless told otherwise.
        per_row: Forward rows that one explained row costs in one pass.
        images: Whether it looks at images alone, `(C, H, W)`.
        convolution: Whether it stands on a convolution of the model.
        reference: Where the method comes from.
        sentence: What its numbers mean.
    """

    name: MethodName
    call: Callable[[Request], Tensor]
    gradients: bool
    sums: bool
    random: bool = False
    grouped: bool = False
    rows: int = 512
    samples: int = 0
    per_row: Callable[[int, int], int] = lambda steps, samples: 2
    images: bool = False
    convolution: bool = False
    reference: str
    sentence: str
