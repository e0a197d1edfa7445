"""The attribution methods for images alone."""

from captum.attr import Saliency
from torch import Tensor

from glassbench_audits.attribution.grad_cam import grad_cam, guided_grad_cam
from glassbench_audits.attribution.gradients import summed_gradients
from glassbench_audits.attribution.method import Method, Request
from glassbench_audits.attribution.occlusion import occlusion


def _saliency(request: Request) -> Tensor:
    method = Saliency(request.model)
    method.gradient_func = summed_gradients
    held: Tensor = method.attribute(**request.common)
    return held.detach()


IMAGE_METHODS = (
    Method(
        name="saliency",
        call=_saliency,
        gradients=True,
        sums=False,
        images=True,
        reference="Simonyan, Vedaldi, Zisserman (2014), Deep inside convolutional networks; Captum",
        sentence="the size of the gradient at a pixel: how fast the explained output changes there, either way",
    ),
    Method(
        name="grad-cam",
        call=grad_cam,
        gradients=True,
        sums=False,
        images=True,
        convolution=True,
        reference="Selvaraju et al. (2017), Grad-CAM; Captum",
        sentence="how active the last convolution is there in the channels that raise the explained output",
    ),
    Method(
        name="guided-grad-cam",
        call=guided_grad_cam,
        gradients=True,
        sums=False,
        images=True,
        convolution=True,
        reference="Selvaraju et al. (2017), Grad-CAM; Springenberg et al. (2015), Striving for simplicity; Captum",
        sentence="guided backpropagation times Grad-CAM; its first factor is known to follow edges more than decisions",
    ),
    Method(
        name="occlusion",
        call=occlusion,
        gradients=False,
        sums=False,
        images=True,
        rows=64,
        reference="Zeiler, Fergus (2014), Visualizing and understanding convolutional networks; Captum",
        sentence="how far the explained output falls when a window over the pixel is put to the baseline",
    ),
)
