"""Deep clustering: a network that brings neighbours together, and centres among its codes."""

from typing import Literal

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count, NonNegativeNumber, ShareBelowOne
from glassbench_plugins.clustering.counting import check_count
from glassbench_plugins.clustering.deep_learner import DeepLearner, Weights
from glassbench_plugins.representation.autoencoder import dense, width_of
from glassbench_plugins.unsupervised.grown import flat
from glassbench_plugins.vision.drift import Drift


class DeepClusters(nn.Module):
    """An encoder, a decoder, and the centres of clusters among the codes.

    A row belongs to a centre by Student's t distribution with one degree of freedom around it (van der Maaten and Hinton 2008),
    whose tail leaves room between clusters. The soft assignment is the softmax of the output, and gradients flow through it.

    Args:
        width: Slots of a row.
        clusters: How many centres.
        code: Entries of the code.
        hidden: Widths of the encoder's layers; the decoder has them in reverse.
        augment: Changes rows while learning; None leaves them as they are.
        neighbours: How many nearest rows are brought together.
        weights: What the parts of the loss count for.
        warmup: Share of the steps before there are centres.
    """

    placed: Tensor

    def __init__(
        self,
        *,
        width: int,
        clusters: int,
        code: int,
        hidden: tuple[int, ...],
        augment: nn.Module | None,
        neighbours: int,
        weights: Weights,
        warmup: float,
    ) -> None:
        super().__init__()
        self.encoder = dense((width, *hidden, code))
        self.decoder = dense((code, *hidden[::-1], width))
        self.centres = nn.Parameter(torch.randn(clusters, code))
        self.register_buffer("placed", torch.tensor(False))
        self.augment = augment
        self.neighbours, self.weights, self.warmup = neighbours, weights, warmup

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to how well each centre explains them, log-densities up to a constant `(n, clusters)`."""
        return self.near(self.encode(inputs))

    def encode(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to codes `(n, m)`."""
        codes: Tensor = self.encoder(inputs.flatten(1))
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """From codes `(n, m)` to rows `(n, d)`."""
        rows: Tensor = self.decoder(codes)
        return rows

    def near(self, codes: Tensor) -> Tensor:
        """From codes `(n, m)` to log-densities up to a constant around each centre `(n, clusters)`."""
        return -torch.log1p(((codes[:, None, :] - self.centres) ** 2).sum(dim=-1))

    def clustering_learner(self, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Return what trains the network on the rows of `data`.

        Raises:
            FitError: There are more clusters than rows, or than different ones.
        """
        assert isinstance(data.train, Split)
        check_count(flat(data.train.batch(slice(None)).inputs[0].numpy()), len(self.centres))
        return DeepLearner(self, data.train, optimization)


def deep_clustering(
    schema: Schema,
    *,
    clusters: Count = 10,
    code: Count = 10,
    hidden: tuple[Count, ...] = (256, 256),
    neighbours: Count = 15,
    augment: Literal["none", "shift"] = "none",
    reconstruction: NonNegativeNumber = 0.1,
    sharpening: NonNegativeNumber = 1.0,
    warmup: ShareBelowOne = 0.5,
) -> DeepClusters:
    """Deep embedded clustering that keeps the rows' structure (IDEC, Guo et al. 2017), among codes that keep neighbourhoods.

    While it warms up, the network learns to restore rows and to bring neighbours together and others apart, by the loss of UMAP
    (McInnes et al. 2018; with a network: Sainburg et al. 2021) over mutual neighbours. Then k-means places the centres among the
    codes, and the soft assignments are drawn towards sharper ones as well (Xie et al. 2016). Images may be shifted while learning
    (Guo et al. 2018). It suits some hundred to some ten thousand rows. The last weights are kept: no validation loss could tell
    which are best.

    Args:
        schema: Tells how wide a row is.
        clusters: How many clusters.
        code: Entries of the code.
        hidden: Widths of the encoder's layers; the decoder has them in reverse.
        neighbours: How many nearest rows count as neighbours.
        augment: How images are changed while learning: not at all, or shifted by up to an eighth of each side.
        reconstruction: Weight of the reconstruction error, as a share of the rows' variance.
        sharpening: Weight of the distance to the sharper assignment.
        warmup: Share of the steps before there are centres, between 0 and 1.
    """
    if clusters < 1 or neighbours < 1 or code < 1:
        raise FitError("clusters, neighbours and code are at least 1", got=f"{clusters}, {neighbours} and {code}")
    if not 0 <= warmup < 1:
        raise FitError("the warm-up is a share of the training", got=str(warmup), fix="set model.warmup between 0 and 1")
    return DeepClusters(
        width=width_of(schema),
        clusters=clusters,
        code=code,
        hidden=hidden,
        augment=_augmentation(schema, augment),
        neighbours=neighbours,
        weights=Weights(reconstruction=reconstruction, sharpening=sharpening),
        warmup=warmup,
    )


def _augmentation(schema: Schema, augment: Literal["none", "shift"]) -> nn.Module | None:
    if augment == "none":
        return None
    if schema.modality != "image":
        raise FitError("only images can be shifted", got=f"{schema.modality} rows", fix="set model.augment to none")
    return Drift()
