"""Which channels of the last convolution the decision leans on, and where they are active."""

import warnings

from captum.attr import GuidedGradCam, LayerGradCam
from torch import Tensor, nn
from torch.nn import functional

from glassbench_audits.explain.explained import CaptumTarget, Explained, Rows


def last_convolution(model: nn.Module) -> nn.Module | None:
    """Return the layer that Grad-CAM stands on, or None where there is none.

    A model may name it (`last_convolution = "features"`) or say that it has none (`None`); otherwise the last convolution
    over two axes among its modules is taken.
    """
    named = getattr(model, "last_convolution", "")
    if named is None:
        return None
    if named:
        return model.get_submodule(str(named))
    found = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    return found[-1] if found else None


def grad_cam(explained: Explained, rows: Rows) -> Tensor:
    """Return where the last convolution is active in the channels that raise the output, `(n, C, H, W)`, at least 0.

    The map of the layer, enlarged to the image; each channel of the image carries an equal part. Selvaraju et al. (2017),
    Grad-CAM: visual explanations from deep networks via gradient-based localization.
    """
    layer = last_convolution(explained.model)
    held = LayerGradCam(explained, layer).attribute(**_arguments(rows), relu_attributions=True)
    images = rows.inputs
    enlarged = functional.interpolate(held.detach(), size=images.shape[2:], mode="bilinear", align_corners=False)
    return enlarged.expand_as(images) / images.shape[1]


def guided_grad_cam(explained: Explained, rows: Rows) -> Tensor:
    """Return guided backpropagation (Springenberg et al. 2015) times Grad-CAM, `(n, C, H, W)`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU")
        method = GuidedGradCam(explained, last_convolution(explained.model))
        held: Tensor = method.attribute(**_arguments(rows), interpolate_mode="bilinear")
    return held.detach()


def _arguments(rows: Rows) -> dict[str, Tensor | tuple[Tensor, ...] | CaptumTarget]:
    inputs = rows.inputs.detach().clone().requires_grad_()
    return {"inputs": inputs, "target": rows.target, "additional_forward_args": rows.others or None}
