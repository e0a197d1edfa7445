"""A finished training, kept so that fitting again returns at once."""

from pathlib import Path

from torch import nn

from glassbench.contracts.trainer import Fitted
from glassbench.errors import RunError
from glassbench_plugins.training import checkpoint

NAME = "fitted.safetensors"


def write_finished(fitted: Fitted, folder: Path) -> None:
    """Keep a training's outcome in `folder`.

    Raises:
        RunError: The file cannot be written.
    """
    content = {"weights": dict(fitted.model.state_dict()), "facts": dict(fitted.facts), "callbacks": fitted.callbacks}
    checkpoint.write(content, folder / NAME)


def read_finished(model: nn.Module, folder: Path) -> Fitted | None:
    """Load a finished training's weights into `model` and return the outcome; None when there is none in `folder`.

    Raises:
        RunError: The file is damaged, of another version, or of another model.
    """
    path = folder / NAME
    if not path.exists():
        return None
    content = checkpoint.read(path)
    try:
        model.load_state_dict(content["weights"])
    except RuntimeError as error:
        raise another_model(NAME, error) from error
    return Fitted(model=model.cpu().eval(), facts=content["facts"], callbacks=content["callbacks"])


def another_model(name: str, error: RuntimeError) -> RunError:
    """Return the error for weights that do not fit the model, from what PyTorch said when it loaded them."""
    return RunError(
        "the training state in this run is of another model",
        where=name,
        got=str(error).split("\n")[1].strip(),
        fix="start a new run for the changed experiment",
    )
