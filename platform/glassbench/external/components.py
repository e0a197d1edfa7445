"""Stand-ins for an external model and its rows in an experiment: facts to read, and a clear error when the objects are needed."""

from collections.abc import Iterable
from typing import NoReturn

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec
from glassbench.errors import RunError

ROWS, MODEL = "glassbench/external-rows", "glassbench/external-model"
BATCHES, MODULE = "glassbench/given-batches", "glassbench/given-module"


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield the stand-in for external rows."""
    yield DatasetSpec(
        name="external-rows",
        summary="External rows given to glassbench.audit; a run stores the decisions on them, not the rows",
        target="glassbench.external.components:rows",
        external=True,
    )

    yield DatasetSpec(
        name="given-batches",
        summary="Batches of a LightningDataModule given to glassbench.run; a run stores neither them nor the loaders",
        target="glassbench.external.components:batches",
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
    yield ModelSpec(
        name="given-module",
        summary="A LightningModule given to glassbench.run; a run stores its weights, not its class",
        target="glassbench.external.components:module",
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


def batches(
    seed: int,
    *,
    target: str = "target",
    classes: tuple[str, ...] = (),
    positive: str | None = None,
    favourable: str | tuple[str, ...] | None = None,
    features: tuple[str, ...] = (),
    unit: str = "row",
) -> NoReturn:
    """Refuse: loaders are not stored.

    Args:
        seed: Unused.
        target: What is predicted, in a word.
        classes: Names of the classes in the order of their numbers; without them, their numbers.
        positive: The class that rates speak of; of two, the last.
        favourable: The outcome that is good for a person: a class or several, or `higher` or `lower` of a value.
        features: Names of the columns of a table; without them, x0, x1 and so on.
        unit: What one row is, in the singular.

    Raises:
        RunError: Always.
    """
    raise not_given("the data module")


def module(schema: object) -> NoReturn:
    """Refuse: the class of a LightningModule is not stored.

    Args:
        schema: Unused.

    Raises:
        RunError: Always.
    """
    raise not_given("the LightningModule")


def not_given(what: str) -> RunError:
    """Return the error of a run that needs the module or the loaders that it was given."""
    return RunError(f"{what} is not stored in the run", fix="glassbench.resume(run, model=module, data=datamodule)")


def gone(what: str) -> RunError:
    """Return the error of a run that needs an external model or its rows, which it did not store."""
    return RunError(
        f"{what} is external and is not stored" if what == "the model" else f"{what} are external and are not stored",
        fix="call glassbench.audit(model, X, y, ...) again; reports, figures and predictions of this run can be read as they are",
    )
