"""What happens when a window of the image is hidden."""

from captum.attr import Occlusion
from torch import Tensor

from glassbench_audits.explain.explained import Explained, Rows


def occlusion(explained: Explained, rows: Rows, baselines: Tensor) -> Tensor:
    """Return how far the output falls when a window over each pixel is put to the baseline, `(n, C, H, W)`.

    The mean over the windows that hide the pixel, which slide by half their side. Zeiler and Fergus (2014), Visualizing and
    understanding convolutional networks.
    """
    channels, *sides = rows.inputs.shape[1:]
    windows = [max(1, side // 4) for side in sides]
    held: Tensor = Occlusion(explained).attribute(
        rows.inputs,
        sliding_window_shapes=(channels, *windows),
        strides=(channels, *(max(1, window // 2) for window in windows)),
        baselines=baselines,
        target=rows.target,
        additional_forward_args=rows.others or None,
        perturbations_per_eval=max(1, explained.pass_rows // max(len(rows), 1)),
    )
    return held.detach()
