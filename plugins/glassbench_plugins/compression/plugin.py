"""What the compression plugin brings."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import CompressionSpec

_PACKAGES = ("onnx", "onnxruntime")


@hookimpl
def glassbench_compressions() -> Iterable[CompressionSpec]:
    """Yield the built-in compressions."""
    yield from _of_graphs()
    yield from _of_networks()
    yield from _of_estimators()


def _of_graphs() -> Iterable[CompressionSpec]:
    yield CompressionSpec(
        name="int8",
        summary="Stores weights, and computes, in 8-bit whole numbers after training (ONNX Runtime, static or dynamic)",
        target="glassbench_plugins.compression.int8:Int8",
        acts_on="graph",
        calibrates=True,
        extra="export",
        requires=_PACKAGES,
        assumes="Activations of new rows lie in the range of those of the training rows that were looked at.",
        caution=(
            "Rare kinds of rows, whose activations are extreme, lose first. A processor without 8-bit instructions for a layer "
            "may be slower than with 32 bits: look at the measured times."
        ),
    )
    yield CompressionSpec(
        name="half",
        summary="Stores weights in 16-bit floating point, and computes in 32 bits as before",
        target="glassbench_plugins.compression.half:Half",
        acts_on="graph",
        extra="export",
        requires=_PACKAGES,
        assumes="Weights lie within 65,504, and their small differences do not matter.",
        caution="It halves the file alone: in memory and in time nothing is gained on a processor without 16-bit arithmetic.",
    )


def _of_networks() -> Iterable[CompressionSpec]:
    yield CompressionSpec(
        name="pruned",
        summary="Sets the smallest weights of all layers to zero and stores the file packed (global magnitude pruning)",
        target="glassbench_plugins.compression.pruned:Pruned",
        acts_on="network",
        extra="export",
        requires=_PACKAGES,
        assumes="Weights near zero matter little, whichever layer they are of.",
        caution=(
            "Only the packed file is smaller: loaded, the network is as large and as slow as before. What it forgets first are "
            "rare and difficult rows (Hooker et al. 2019)."
        ),
    )
    yield CompressionSpec(
        name="pruned-units",
        summary="Removes the weakest units and channels of each layer, then lets the rest learn again (structured pruning)",
        target="glassbench_plugins.compression.pruned_units:PrunedUnits",
        acts_on="network",
        calibrates=True,
        trains=True,
        extra="export",
        requires=_PACKAGES,
        assumes="Units with small weights matter little, and a few passes over the training rows mend what their loss broke.",
        caution=(
            "After retraining it is another model: its decisions on single rows differ, so its explanations and audits must be "
            "made anew. Units that served a small group alone go first where their weights are small."
        ),
    )
    yield CompressionSpec(
        name="distilled",
        summary="Trains a smaller network on what the original says of the training rows (Hinton, Vinyals and Dean 2015)",
        target="glassbench_plugins.compression.distilled:Distilled",
        acts_on="network",
        trains=True,
        extra="export",
        requires=_PACKAGES,
        assumes="The smaller network can tell apart what the original does, and the training rows are still there.",
        caution=(
            "It is another model, not the original made small: its decisions on single rows differ, so its explanations and "
            "audits must be made anew before it is relied on."
        ),
    )


def _of_estimators() -> Iterable[CompressionSpec]:
    yield CompressionSpec(
        name="fewer-trees",
        summary="Keeps a share of the trees of a forest or of boosting, and cuts deep ones",
        target="glassbench_plugins.compression.fewer_trees:FewerTrees",
        acts_on="arrays",
        calibrates=True,
        extra="export",
        requires=_PACKAGES,
        assumes="Trees of a forest are alike, and late trees of boosting correct little.",
        caution=(
            "Late trees of boosting often serve rare kinds of rows: look at who loses. Probabilities of a smaller forest are "
            "coarser, so that thresholds and calibration move."
        ),
    )
    yield CompressionSpec(
        name="float32",
        summary="Stores thresholds, leaves and weights of an estimator in 32-bit floating point, and computes in it",
        target="glassbench_plugins.compression.float32:Float32",
        acts_on="arrays",
        extra="export",
        requires=_PACKAGES,
        assumes="Sums of leaves do not matter beyond seven digits.",
        caution="Little is gained beyond a smaller file; rows whose scores lie within 1e-6 of a threshold may change sides.",
    )
