"""From SMILES to tokens and bonds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.text_pieces import Piece
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.groups import GroupCode, groups_of
from glassbench_plugins.molecules.drawing import drawn_molecule
from glassbench_plugins.molecules.properties import PROPERTIES, property_groups
from glassbench_plugins.molecules.smiles import Atom, Molecule, read_smiles

PADDING, UNKNOWN = 0, 1
MOLECULE = "symbol"
"""What a piece of a SMILES is called."""


@dataclass(frozen=True, kw_only=True)
class MoleculeEncoder:
    """Encodes SMILES as tokens, long `(n, l)`, and bonds between the places of atoms, uint8 `(n, l, l)`.

    An atom's token says its element, charge, hydrogens, bonds and whether it is in a ring; what the training molecules rarely
    have is told by the element alone, and an element that they do not have is unknown. Other tokens stand for themselves.

    Args:
        text: The column of SMILES.
        target: The column of values.
        tokens: The vocabulary, padding and the unknown first.
        context: Tokens per row.
        sensitive: Features to audit by: columns, or properties of molecules.
        codes: How the columns among them are read.
        cells: How raw cells read.
    """

    text: str
    target: str
    tokens: tuple[str, ...]
    context: int
    sensitive: tuple[str, ...] = ()
    codes: tuple[GroupCode, ...] = ()
    cells: Cells = field(default_factory=Cells)

    def encode(self, raw: pd.DataFrame) -> Split:
        """Encode raw rows; the truth comes along where all rows have it.

        Raises:
            DataError: There is no column of SMILES, or one cannot be read or is longer than the context.
        """
        if self.text not in raw.columns:
            raise DataError(f"the rows lack the column of SMILES '{self.text}'", available=[str(name) for name in raw.columns])
        molecules = read_all(raw[self.text])
        return Split(
            inputs=(self._numbers(molecules), self._bonds(molecules)),
            rows=np.arange(len(raw)),
            target=self._truth(raw),
            groups=self._groups(raw, molecules),
            raw=raw.reset_index(drop=True),
        )

    def pieces(self, raw: pd.DataFrame) -> list[tuple[Piece, ...]]:
        """Return the tokens of each SMILES; each is a piece of its own."""
        return [
            tuple(Piece(text=token, word=place, position=place) for place, token in enumerate(molecule.tokens))
            for molecule in read_all(raw[self.text])
        ]

    def drawn(self, raw: pd.DataFrame, contributions: np.ndarray) -> str | None:
        """Return one molecule with the contribution of each atom as a PNG in base64; None where RDKit is not installed.

        Args:
            raw: The raw row.
            contributions: Of each token `(l,)`.
        """
        text = str(raw[self.text].iloc[0]).strip()
        return drawn_molecule(text, [float(contributions[atom.token]) for atom in read_smiles(text).atoms])

    def _numbers(self, molecules: Sequence[Molecule]) -> Tensor:
        table = torch.full((len(molecules), self.context), PADDING)
        places = {token: number for number, token in enumerate(self.tokens)}
        for row, molecule in enumerate(molecules):
            kinds = {atom.token: atom for atom in molecule.atoms}
            numbers = [_number(token, kinds.get(place), places) for place, token in enumerate(molecule.tokens)]
            table[row, : len(numbers)] = torch.tensor(numbers)
        return table

    def _bonds(self, molecules: Sequence[Molecule]) -> Tensor:
        table = torch.zeros(len(molecules), self.context, self.context, dtype=torch.uint8)
        for row, molecule in enumerate(molecules):
            if len(molecule.tokens) > self.context:
                got = f"{len(molecule.tokens)} tokens: {''.join(molecule.tokens)[:60]}"
                fix = f"leave it out, or train with a context of {len(molecule.tokens)}"
                raise DataError(f"a molecule is longer than the {self.context} tokens of the context", got=got, fix=fix)
            for a, b, kind in molecule.bonds:
                first, second = molecule.atoms[a].token, molecule.atoms[b].token
                table[row, first, second] = table[row, second, first] = kind
        return table

    def _truth(self, raw: pd.DataFrame) -> Tensor | None:
        if self.target not in raw.columns:
            return None
        values = self.cells.numbers(raw[self.target])
        return None if values.isna().any() else torch.from_numpy(values.to_numpy(dtype=np.float32))

    def _groups(self, raw: pd.DataFrame, molecules: Sequence[Molecule]) -> pd.DataFrame | None:
        read = groups_of(self.codes, raw, self.cells)
        measured = {name: property_groups(name, molecules) for name in self.sensitive if name in PROPERTIES}
        columns: dict[str, Any] = dict(measured)
        columns |= {} if read is None else {str(name): values for name, values in read.items()}
        known = [name for name in self.sensitive if name in columns]
        return pd.DataFrame({name: np.asarray(columns[name], dtype=object) for name in known}, dtype=object) if known else None

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {**asdict(self), "cells": self.cells.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from `to_json`."""
        codes = tuple(GroupCode(**{**code, "bins": code["bins"] and tuple(code["bins"])}) for code in content["codes"])
        return cls(
            text=content["text"],
            target=content["target"],
            tokens=tuple(content["tokens"]),
            context=content["context"],
            sensitive=tuple(content["sensitive"]),
            codes=codes,
            cells=Cells.from_json(content["cells"]),
        )


def read_all(column: pd.Series) -> list[Molecule]:
    """Read a column of SMILES.

    Raises:
        DataError: One cannot be read; the message names the row.
    """
    found = []
    for row, text in column.items():
        try:
            found.append(read_smiles(str(text)))
        except DataError as error:
            raise DataError(error.problem, got=error.got, where=f"row {row}", fix=error.fix) from error
    return found


def fitted_tokens(molecules: Sequence[Molecule], rare: int) -> tuple[str, ...]:
    """Return the vocabulary of the training molecules: kinds of atoms that are not rare, elements, and all other tokens."""
    kinds = Counter(atom.kind for molecule in molecules for atom in molecule.atoms)
    elements = sorted({atom.symbol for molecule in molecules for atom in molecule.atoms})
    atoms = {(number, atom.token) for number, molecule in enumerate(molecules) for atom in molecule.atoms}
    others = sorted({t for n, molecule in enumerate(molecules) for p, t in enumerate(molecule.tokens) if (n, p) not in atoms})
    return ("[PAD]", "[UNK]", *others, *elements, *sorted(kind for kind, count in kinds.items() if count >= rare))


def _number(token: str, atom: Atom | None, places: Mapping[str, int]) -> int:
    if atom is None:
        return places.get(token, UNKNOWN)
    return places.get(atom.kind, places.get(atom.symbol, UNKNOWN))
