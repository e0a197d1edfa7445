"""What stands in an experiment for what was lent: facts to read, and a clear word when somebody wants the thing itself."""

from collections.abc import Iterable
from typing import NoReturn

from glassbench.errors import RunError
from glassbench.hookspecs import hookimpl
from glassbench.specs import DatasetSpec, ModelSpec

ROWS, MODEL = "glassbench/lent-rows", "glassbench/lent-model"


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield what stands for lent rows."""
    yield DatasetSpec(
        name="lent-rows",
        summary="Rows lent from Python by glassbench.audit; a run keeps the decisions on them, not the rows",
        target="glassbench.lent.components:rows",
        lent=True,
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield what stands for a lent model."""
    yield ModelSpec(
        name="lent-model",
        summary="A model lent from Python by glassbench.audit; a run keeps what was found about it, not the model",
        target="glassbench.lent.components:model",
        form="lent",
    )


def rows(seed: int, *, rows: int = 0, columns: tuple[str, ...] = (), held_out: bool | None = None) -> NoReturn:
    """Refuse: lent rows are not kept.

    Args:
        seed: Unused.
        rows: How many there were.
        columns: What they held.
        held_out: Whether the model learnt nothing from them, as the caller said; None where not said.

    Raises:
        RunError: Always.
    """
    raise gone("the rows")


def model(schema: object, *, kind: str = "", sha256: str | None = None) -> NoReturn:
    """Refuse: a lent model is not kept.

    Args:
        schema: Unused.
        kind: What it was.
        sha256: Checksum of the file it came from, where it came from one.

    Raises:
        RunError: Always.
    """
    raise gone("the model")


def gone(what: str) -> RunError:
    """Return the error of a run that is asked for what was lent to it."""
    return RunError(
        f"{what} was lent from Python and is not kept"
        if what == "the model"
        else f"{what} were lent from Python and are not kept",
        fix="call glassbench.audit(model, X, y, ...) again; reports, figures and predictions of this run can be read as they are",
    )
