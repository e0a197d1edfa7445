"""Components at work: a model built from its seed, and whose code it was that failed."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from glassbench.contracts.schema import Schema
from glassbench.errors import FOREIGN, GlassbenchError, PluginError, said
from glassbench.experiments.choice import Choice
from glassbench.system.memory import not_enough_memory, ran_out


def build_model(choice: Choice, schema: Schema, seed: int) -> Any:
    """Return a model untrained, its weights drawn from the seed.

    Raises:
        GlassbenchError: It cannot be built for such rows with these settings.
    """
    seed_all(seed)
    with blamed(choice, "being built"):
        return choice.make(schema)


def seed_all(seed: int) -> None:
    """Seed every generator a model or a library may draw from."""
    random.seed(seed)
    np.random.seed(seed)  # scikit-learn and others still draw from it
    torch.manual_seed(seed)


@contextlib.contextmanager
def blamed(choice: Choice, doing: str) -> Iterator[None]:
    """Name the component when its own code raises; what it raises on purpose passes through."""
    try:
        yield
    except GlassbenchError:
        raise
    except FOREIGN as error:
        component = choice.component
        if ran_out(error):
            raise not_enough_memory(error, f"the {component.spec.kind} '{component.spec.name}' was {doing}") from error
        raise PluginError(
            f"the {component.spec.kind} '{component.canonical}' failed while {doing}",
            got=said(error),
            fix="see the traceback with --debug",
        ) from error
