"""What the training plugin brings."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import TrainerSpec


@hookimpl
def glassbench_trainers() -> Iterable[TrainerSpec]:
    """Yield the built-in trainers."""
    yield TrainerSpec(
        name="lightning",
        summary="Trains a network by gradient descent with PyTorch Lightning, on the CPU or a GPU",
        target="glassbench_plugins.training.lightning:LightningTrainer",
    )
    yield TrainerSpec(
        name="estimator",
        summary="Fits a scikit-learn estimator",
        target="glassbench_plugins.training.estimator:EstimatorTrainer",
        trains="estimator",
    )
    yield TrainerSpec(
        name="untrained",
        summary="Leaves a network as it came, so that weights of others are audited before they are trained further",
        target="glassbench_plugins.training.untrained:Untrained",
        usual=False,
    )
