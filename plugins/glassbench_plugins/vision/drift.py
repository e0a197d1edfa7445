"""Random shifts of images by fractions of a pixel, on whole batches."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Drift(nn.Module):
    """Moves each image by up to a share of its sides, in fractions of a pixel; in evaluation mode it changes nothing.

    Between pixels it interpolates, and edges are continued. It is gentler than whole pixels where an image has few.

    Args:
        most: The largest shift, as a share of a side.
    """

    def __init__(self, most: float = 1 / 8) -> None:
        super().__init__()
        self.most = most

    def forward(self, images: Tensor) -> Tensor:
        """From images `(n, C, H, W)` to images of the same shape."""
        if not self.training:
            return images
        n = len(images)
        shift = (2 * torch.rand(n, 2, 1, device=images.device) - 1) * 2 * self.most  # a grid runs from -1 to 1
        matrix = torch.cat([torch.eye(2, device=images.device).expand(n, 2, 2), shift], dim=2)
        grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
        return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
