"""The molecules plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec

_HERE = "glassbench_plugins.molecules"
_ENCODER = f"{_HERE}.encoder:MoleculeEncoder"


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield made molecules and the way to a table."""
    yield DatasetSpec(
        name="solubility-rules",
        summary="Made molecules whose solubility is a sum over their atoms, so that each atom's part is known",
        target=f"{_HERE}.rules:solubility_rules",
        encoder=_ENCODER,
        targets=("value",),
    )
    yield DatasetSpec(
        name="molecules",
        summary="Any table with a column of SMILES and a column of values",
        target=f"{_HERE}.files:molecules",
        encoder=_ENCODER,
        targets=("value",),
        table_setting="path",
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield models of molecules."""
    yield ModelSpec(
        name="molecule-graph",
        summary="A graph network: atoms pass messages along bonds, and each comes to a value",
        target=f"{_HERE}.graph_network:MoleculeGraph",
        tasks=("regression",),
    )
    yield ModelSpec(
        name="smiles-transformer",
        summary="A transformer over the tokens of a SMILES, with a head for one value",
        target=f"{_HERE}.transformer:SmilesTransformer",
        tasks=("regression",),
    )
