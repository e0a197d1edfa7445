"""The recommendation plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec, TaskSpec

_HERE = "glassbench_plugins.recommendation"
_ENCODER = f"{_HERE}.encoder:InteractionEncoder"
_TARGETS = ("ranking", "value")


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield made films and users, and the way to a table of interactions."""
    yield DatasetSpec(
        name="tastes",
        summary="Films that users with one favourite genre each chose and rated, generated",
        target=f"{_HERE}.tastes:tastes",
        encoder=_ENCODER,
        targets=_TARGETS,
    )
    yield DatasetSpec(
        name="interactions",
        summary="Any table with a row for each interaction of a user with an item: ratings, or what comes next",
        target=f"{_HERE}.files:interactions",
        encoder=_ENCODER,
        targets=_TARGETS,
        table_setting="path",
    )


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield ranking."""
    yield TaskSpec(
        name="ranking",
        summary="Recommend items to each user, the best first",
        target=f"{_HERE}.task:Ranking",
        predicts="ranking",
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield models of users and items."""
    yield ModelSpec(
        name="matrix-factorisation",
        summary="A vector and a bias for each user and item, and what the history adds",
        target=f"{_HERE}.factorisation:MatrixFactorisation",
        tasks=("ranking", "regression"),
    )
    yield ModelSpec(
        name="two-tower",
        summary="A network for users, their features and history, and one for items and their features",
        target=f"{_HERE}.two_tower:TwoTower",
        tasks=("ranking", "regression"),
    )
    yield ModelSpec(
        name="sasrec",
        summary="Attention over the history, asked for the next item (SASRec)",
        target=f"{_HERE}.sasrec:SasRec",
        tasks=("ranking",),
    )
