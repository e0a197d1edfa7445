"""Networks that start from weights kept elsewhere, built again without them."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from torch import nn

from glassbench.contracts.schema import Schema


@runtime_checkable
class Blueprinted(Protocol):
    """A network that starts from weights of a folder or a hub.

    A run remembers the blueprint in `model.json`, beside the weights it trained. To load those, the platform calls `rebuilt`
    of the component instead of the component itself, so that a trained run needs neither the folder nor the hub again.

    Attributes:
        blueprint: All that builds the same layers again beyond schema and settings, JSON values.
    """

    blueprint: Mapping[str, Any]

    @classmethod
    def rebuilt(cls, schema: Schema, blueprint: Mapping[str, Any], **settings: Any) -> nn.Module:
        """Return the network with weights that mean nothing yet; nothing is read or asked for.

        Args:
            schema: What the rows are.
            blueprint: What the network said of itself before it was trained.
            settings: The component's settings.
        """
        ...
