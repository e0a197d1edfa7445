"""Masks worked out by hand: objects, influence of pictures of unequal size, unknown pixels, crops, masks brought to a size."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.data import Batch, Split
from glassbench.contracts.predictions.mask_counts import mask_columns
from glassbench.stats.sampling import Sampling
from glassbench_plugins.segmentation.crops import Crops
from glassbench_plugins.segmentation.loss import mask_losses
from glassbench_plugins.segmentation.mask_files import _resized
from glassbench_plugins.segmentation.metrics import inferred, mask_metrics, ratios
from glassbench_plugins.segmentation.objects import mean_object_size
from glassbench_plugins.segmentation.task import Segmentation, _predicted


def test_objects_are_pixels_of_one_class_that_hang_together_and_unknown_ones_are_none() -> None:
    mask = np.array([[1, 1, 2, 0], [1, 0, 2, -1], [0, 0, 0, -1], [1, 0, 0, -1]])
    assert mean_object_size(mask[None], 0).tolist() == [pytest.approx((3 + 2 + 1) / 3)]
    assert mean_object_size(mask[None], None).tolist() == [pytest.approx((3 + 2 + 1 + 6 + 1) / 5)]


def test_the_error_of_a_pooled_ratio_is_that_of_one_picture_left_out_at_a_time() -> None:
    drawn = np.random.default_rng(0)
    below = drawn.integers(1, 400, size=(30, 3)).astype(float)
    above = np.floor(below * drawn.random((30, 3)))
    below[:, 2] = above[:, 2] = 0  # a class that is nowhere
    sampling = Sampling(weight=drawn.uniform(0.5, 2, 30))
    found = inferred(above, below, sampling)
    assert found.value == pytest.approx(ratios(above, below, sampling.weight[None])[0])
    step = 1e-6
    slopes = []
    for k in range(30):
        weight = sampling.weight.copy()
        weight[k] += step
        slopes.append((ratios(above, below, weight[None])[0] - found.value) / step * sampling.weight.sum())
    assert found.influence == pytest.approx(np.array(slopes), abs=1e-4)


def test_pixels_of_unknown_class_and_pictures_without_a_boundary_count_nowhere() -> None:
    truth = np.array([[[0, 0], [1, -1]], [[0, 0], [0, 0]]])
    predicted = np.array([[[0, 1], [1, 1]], [[0, 0], [0, 0]]])
    frame = pd.DataFrame(mask_columns(predicted, truth, ("none", "cell")))
    assert np.isfinite(frame["boundary_error"]).tolist() == [True, False]
    frame["boundary_error"] = [2.5, np.nan]
    found = {
        metric.name: metric.compute(frame, np.array([[1.0, 1.0], [3.0, 1.0]]))
        for metric in mask_metrics(("cell",), ("none", "cell"))
    }
    assert found["pixel_accuracy"] == pytest.approx([6 / 7, (3 * 2 + 4) / (3 * 3 + 4)])
    assert found["boundary_error"] == pytest.approx([2.5, 2.5])


def test_a_loss_is_that_of_the_known_pixels_alone() -> None:
    torch.manual_seed(0)
    logits, truth = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4))
    whole = mask_losses(logits[:, :, :2], truth[:, :2], 0.5)
    hidden = truth.clone()
    hidden[:, 2:] = -1
    assert mask_losses(logits, hidden, 0.5).tolist() == pytest.approx(whole.tolist(), rel=1e-5)
    assert mask_losses(logits, hidden, 0.0).tolist() == pytest.approx(
        mask_losses(logits[:, :, :2], truth[:, :2], 0.0).tolist(), rel=1e-5
    )


def test_the_largest_class_is_no_background_and_certainty_is_a_mean_over_pixels() -> None:
    task = Segmentation()
    schema = SimpleNamespace(target=SimpleNamespace(classes=("background", "cell", "core")))
    masks = np.array([[[0, 0, 0], [1, 2, 2]], [[0, 0, 0], [0, 0, 0]]])
    assert task._largest(masks, schema).tolist() == [2, 1]
    logits = torch.tensor([[[[0.0, 2.0]], [[0.0, 0.0]]]])
    model = Fixed(logits)
    made, certainty = _predicted(model, Split(inputs=(torch.zeros(1, 1, 1, 2),), rows=np.arange(1)), 2)
    assert made.tolist() == [[[0, 0]]]
    assert certainty.tolist() == pytest.approx([(0.5 + 1 / (1 + np.exp(-2.0))) / 2])


class Fixed(nn.Module):
    def __init__(self, output: torch.Tensor) -> None:
        super().__init__()
        self.output = output

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.output


def test_crops_begin_anywhere_and_masks_turn_with_their_pictures() -> None:
    height, width = 9, 13
    places = torch.arange(height * width).reshape(height, width)
    model = nn.Identity().train()
    torch.manual_seed(0)
    starts = set()
    for flips in ("none", "horizontal", "all"):
        batch = Batch((places[None, None].repeat(60, 1, 1, 1).float(),), places[None].repeat(60, 1, 1), torch.arange(60))
        for made in Crops(model, 4, flips)(batch, 20):
            assert torch.equal(made.inputs[0][:, 0].long(), made.target)
            starts |= {(int(mask.min()) // width, int(mask.min()) % width) for mask in made.target}
    assert {row for row, _ in starts} == set(range(6))
    assert {column for _, column in starts} == set(range(10))
    assert len(starts) > 40  # rows and columns are drawn apart


def test_a_mask_is_cut_at_its_middle_and_read_at_the_middle_of_each_pixel() -> None:
    codes = np.tile(np.arange(12), (4, 1))
    cut = _resized(codes, SimpleNamespace(height=2, width=2, fit="crop"))
    assert cut.tolist() == [[5, 7], [5, 7]]
    squeezed = _resized(codes, SimpleNamespace(height=2, width=3, fit="squeeze"))
    assert squeezed.tolist() == [[2, 6, 10]] * 2
    tall = _resized(codes.T, SimpleNamespace(height=2, width=2, fit="crop"))
    assert tall.T.tolist() == cut.tolist()
