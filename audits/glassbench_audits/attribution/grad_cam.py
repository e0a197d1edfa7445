"""Which channels of the last convolution the decision leans on, and where they are active."""

import warnings

from captum.attr import GuidedGradCam, LayerGradCam
from torch import Tensor, nn
from torch.nn import functional

from glassbench_audits.attribution.method import Request


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


def grad_cam(request: Request) -> Tensor:
    """Return where the last convolution is active in the channels that raise the output, `(n, C, H, W)`, at least 0.

    The map of the layer, enlarged to the image; each channel of the image carries an equal part. Selvaraju et al. (2017),
    Grad-CAM: visual explanations from deep networks via gradient-based localization.
    """
    layer = last_convolution(request.explained.model)
    held = LayerGradCam(request.model, layer).attribute(**request.common, relu_attributions=True)
    images = request.rows.inputs
    enlarged = functional.interpolate(held.detach(), size=images.shape[2:], mode="bilinear", align_corners=False)
    return enlarged.expand_as(images) / images.shape[1]


def guided_grad_cam(request: Request) -> Tensor:
    """Return guided backpropagation (Springenberg et al. 2015) times Grad-CAM, `(n, C, H, W)`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU")
        method = GuidedGradCam(request.model, last_convolution(request.explained.model))
        held: Tensor = method.attribute(**request.common, interpolate_mode="bilinear")
    return held.detach()
