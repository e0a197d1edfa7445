"""What happens when a window of the image is hidden."""

from captum.attr import Occlusion
from torch import Tensor

from glassbench_audits.attribution.method import Request


def occlusion(request: Request) -> Tensor:
    """Return how far the output falls when a window over each pixel is put to the baseline, `(n, C, H, W)`.

    The mean over the windows that hide the pixel, which slide by half their side. Zeiler and Fergus (2014), Visualizing and
    understanding convolutional networks.
    """
    channels, *sides = request.rows.inputs.shape[1:]
    windows = [max(1, side // 4) for side in sides]
    held: Tensor = Occlusion(request.model).attribute(
        **request.common,
        sliding_window_shapes=(channels, *windows),
        strides=(channels, *(max(1, window // 2) for window in windows)),
        baselines=request.baselines,
        perturbations_per_eval=max(1, request.explained.pass_rows // max(len(request.rows), 1)),
    )
    return held.detach()
