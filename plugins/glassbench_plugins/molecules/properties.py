"""What a molecule's graph tells of it, as groups to audit by."""

from collections.abc import Callable, Mapping, Sequence

from glassbench.toolkit.cells.groups import band_names
from glassbench_plugins.molecules.smiles import Molecule

_SIZES = (10.0, 20.0)

PROPERTIES: Mapping[str, Callable[[Molecule], str]] = {
    "size": lambda molecule: band_names(_SIZES, whole=True)[sum(len(molecule.atoms) >= bound for bound in _SIZES)] + " atoms",
    "aromatic": lambda molecule: "aromatic" if molecule.aromatic else "not aromatic",
}
"""Properties by name, each from a molecule to its group."""


def property_groups(name: str, molecules: Sequence[Molecule]) -> list[str]:
    """Return the group of each molecule by a property."""
    return [PROPERTIES[name](molecule) for molecule in molecules]
