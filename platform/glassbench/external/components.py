"""Stand-ins for an external model and its rows in an experiment: facts to read, and a clear error when the objects are needed."""

from collections.abc import Iterable
from typing import NoReturn

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec
from glassbench.errors import RunError

ROWS, MODEL = "glassbench/external-rows", "glassbench/external-model"


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield the stand-in for external rows."""
    yield DatasetSpec(
        name="external-rows",
        summary="External rows given to glassbench.audit; a run stores the decisions on them, not the rows",
        target="glassbench.external.components:rows",
        external=True,
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield the stand-in for an external model."""
    yield ModelSpec(
        name="external-model",
        summary="An external model given to glassbench.audit; a run stores the audit results, not the model",
        target="glassbench.external.components:model",
        form="external",
    )


def rows(seed: int, *, rows: int = 0, columns: tuple[str, ...] = (), held_out: bool | None = None) -> NoReturn:
    """Refuse: external rows are not stored.

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
    """Refuse: an external model is not stored.

    Args:
        schema: Unused.
        kind: What it was.
        sha256: Checksum of the file it came from, where it came from one.

    Raises:
        RunError: Always.
    """
    raise gone("the model")


def gone(what: str) -> RunError:
    """Return the error of a run that needs an external model or its rows, which it did not store."""
    return RunError(
        f"{what} is external and is not stored" if what == "the model" else f"{what} are external and are not stored",
        fix="call glassbench.audit(model, X, y, ...) again; reports, figures and predictions of this run can be read as they are",
    )
