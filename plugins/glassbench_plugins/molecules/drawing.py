"""A molecule with what its atoms contribute, drawn where RDKit is installed."""

import base64
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

_WIDTH, _HEIGHT = 420, 300
_FALLS, _RISES = (0.76, 0.31, 0.05), (0.09, 0.31, 0.65)
"""Orange for atoms that lower the value, blue for those that raise it, as elsewhere in the report."""


def drawn_molecule(smiles: str, contributions: Sequence[float]) -> str | None:
    """Return a molecule as a PNG in base64, each atom coloured by its contribution; None where RDKit is not installed or fails.

    Args:
        smiles: The molecule.
        contributions: Of each atom, in the order of the SMILES.
    """
    if find_spec("rdkit") is None:
        return None
    from rdkit import Chem
    from rdkit.Chem.Draw import rdMolDraw2D

    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or molecule.GetNumAtoms() != len(contributions):
        return None  # RDKit knows rules of valence that the reader does not ask for
    most = max((abs(value) for value in contributions), default=0.0) or 1.0
    colours = {atom: _tint(value / most) for atom, value in enumerate(contributions)}
    canvas: Any = rdMolDraw2D.MolDraw2DCairo(_WIDTH, _HEIGHT)
    coloured: Any = {"highlightAtoms": list(colours), "highlightAtomColors": colours, "highlightBonds": []}
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, molecule, **coloured)
    return base64.b64encode(canvas.GetDrawingText()).decode()


def _tint(strength: float) -> tuple[float, float, float]:
    """Return white for no contribution, full colour for the strongest."""
    full, share = (_RISES if strength > 0 else _FALLS), abs(strength)
    first, second, third = (1 - share * (1 - part) for part in full)
    return first, second, third
