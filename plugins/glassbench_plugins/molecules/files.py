"""Molecules from a person's own table."""

from pathlib import Path

from glassbench.contracts.data import Data
from glassbench.stats.settings_types import Count
from glassbench.toolkit.cells.cells import MARKS, Cells
from glassbench.toolkit.cells.groups import Band
from glassbench.toolkit.reading.tables import Format, read_table
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.split_by import SplitBy, division_of, one_file
from glassbench_plugins.molecules.assembly import MoleculeColumns, molecule_data


def molecules(
    seed: int,
    *,
    path: str,
    smiles: str = "smiles",
    target: str,
    unit: str | None = None,
    split: SplitBy | None = None,
    fold: Fold | None = None,
    sensitive: tuple[str | Band, ...] = ("size", "aromatic"),
    rare: Count = 3,
    missing: tuple[str, ...] = MARKS,
    separator: str | None = None,
    columns: tuple[str, ...] = (),
    quotes: bool = True,
    encoding: str | None = None,
) -> Data:
    """Any CSV, TSV or Parquet file with a column of SMILES and a column of values.

    Atoms are told by element, charge, hydrogens, bonds and whether they are in a ring. Stereochemistry and isotopes are not read.
    A SMILES that cannot be read stops the run, and the message names the row.

    Args:
        seed: Seed of the split.
        path: The file, relative to the current folder; compressed too.
        smiles: The column of SMILES.
        target: The column of values.
        unit: Unit of the value.
        split: How molecules are divided: `{by: random, validation: 0.1, test: 0.1}` unless given; as in the data set `table`.
        fold: The fold of cross-validation that is for testing; a study sets it.
        sensitive: Features to audit by: `size` (atoms that are no hydrogen), `aromatic`, or columns of the table.
        rare: A kind of atom seen fewer times in the training molecules is told by its element alone.
        missing: Texts that mean a value is missing.
        separator: What stands between cells; what cuts the first lines alike unless given.
        columns: Names of the columns of a file without a header.
        quotes: Whether cells may stand in double quotes.
        encoding: Character encoding of a text file.
    """
    form = Format(separator=separator, columns=columns, encoding=encoding, quotes=quotes)
    frame, division = division_of(
        split,
        read_table(path, form, "dataset.path"),
        seed=seed,
        cells=Cells(missing=missing),
        shares=(0.1, 0.1),
        read=lambda further, where: read_table(str(one_file(further, where)), form, where),
        fold=fold,
    )
    meaning = MoleculeColumns(smiles=smiles, target=target, sensitive=sensitive, unit=unit, missing=missing)
    return molecule_data(frame, meaning, division, rare=rare, source=Path(path).name)
