"""The trainer that trains nothing: a network is audited as it came."""

from dataclasses import dataclass
from typing import Any

from glassbench.contracts.data import Data
from glassbench.contracts.task import Task
from glassbench.contracts.trainer import Fitted, Trainer, Workspace
from glassbench_plugins.training.validation import as_network


@dataclass(frozen=True, kw_only=True)
class Untrained(Trainer):
    """Leaves a network as it came.

    For weights that others trained: a run with it says what a model was before it was trained further. Layers without weights of
    their own, such as a new head for classes, stay as chance made them.
    """

    def fit(self, model: Any, task: Task, data: Data, workspace: Workspace) -> Fitted:
        """Return the network as it came, in evaluation mode.

        Raises:
            FitError: It is no network.
        """
        network = as_network(model)
        facts = {
            "epochs": 0,
            "steps": 0,
            "stopped": "nothing was trained",
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
        }
        return Fitted(model=network.cpu().eval(), facts=facts)
