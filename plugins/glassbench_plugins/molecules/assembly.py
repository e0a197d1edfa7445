"""From a table with SMILES to a data set ready for training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data, Treatment
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import MARKS, Cells
from glassbench.toolkit.cells.columns import require_columns
from glassbench.toolkit.cells.groups import Band, group_code, sensitive_column, sensitive_name
from glassbench.toolkit.splits.splits import Division, divide
from glassbench_plugins.molecules.encoder import MOLECULE, PADDING, UNKNOWN, MoleculeEncoder, fitted_tokens, read_all
from glassbench_plugins.molecules.properties import PROPERTIES


@dataclass(frozen=True, kw_only=True)
class MoleculeColumns:
    """What the columns of a table of molecules mean.

    Args:
        smiles: The molecules.
        target: Their values.
        sensitive: Features to audit by: columns, bands of a number, or the properties `size` and `aromatic`.
        unit: Unit of the value.
        missing: Texts that mean a value is missing.
    """

    smiles: str = "smiles"
    target: str = "value"
    sensitive: tuple[str | Band, ...] = ("size", "aromatic")
    unit: str | None = None
    missing: tuple[str, ...] = MARKS

    def read_from(self, frame: pd.DataFrame) -> list[str | Band]:
        """Return the features that are columns.

        Raises:
            DataError: The table is empty or lacks a column that is named.
        """
        if frame.empty:
            raise DataError("the table is empty", got=f"{len(frame)} rows", where="dataset.path")
        require_columns(frame.columns, [self.smiles], "dataset.smiles")
        require_columns(frame.columns, [self.target], "dataset.target")
        found = [each for each in self.sensitive if not (isinstance(each, str) and each in PROPERTIES)]
        require_columns(frame.columns, [sensitive_column(each) for each in found], "dataset.sensitive")
        return found


def molecule_data(
    frame: pd.DataFrame,
    columns: MoleculeColumns,
    division: Division,
    *,
    rare: int = 3,
    source: str = "",
    treatments: Sequence[Treatment] = (),
) -> Data:
    """Divide molecules, learn the vocabulary of the training molecules, and encode all.

    Molecules whose SMILES is the same to the letter stay in one part. Rows without a value are left out.

    Args:
        frame: Raw rows.
        columns: What the columns mean.
        division: How the rows are divided.
        rare: A kind of atom seen fewer times in the training molecules is told by its element alone.
        source: Where the table comes from.
        treatments: What was done to the rows before.

    Raises:
        DataError: The table cannot be used so; the message says why and what helps.
    """
    named = columns.read_from(frame)
    cells, frame = Cells(missing=columns.missing), frame.reset_index(drop=True)
    smiles = frame[columns.smiles].astype(str).str.strip()
    parts = divide(cells.numbers(frame[columns.target]), division, None if division.given is not None else smiles)
    kept = np.sort(np.concatenate(list(parts.values())))
    molecules = dict(zip(kept.tolist(), read_all(smiles.iloc[kept]), strict=True))
    encoder = MoleculeEncoder(
        text=columns.smiles,
        target=columns.target,
        tokens=fitted_tokens([molecules[row] for row in parts["train"]], rare),
        context=max(len(molecule.tokens) for molecule in molecules.values()),
        sensitive=tuple(sensitive_name(each) for each in columns.sensitive),
        codes=tuple(group_code(each, frame, cells) for each in named),
        cells=cells,
    )
    splits = {part: replace(encoder.encode(frame.iloc[rows]), rows=rows) for part, rows in parts.items()}
    again = int(smiles.iloc[kept].duplicated().sum())
    repeats = [f"{again} rows repeat the SMILES of an earlier one and stay in one part with it"] if again else []
    return Data(
        split=division.how,
        schema=_schema(encoder, columns),
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits["test"],
        encoder=encoder,
        treatments=(*treatments, *division.treatments(parts)),
        notes=(f"{len(encoder.tokens)} tokens learnt from the training molecules", *repeats),
        source=source,
    )


def _schema(encoder: MoleculeEncoder, columns: MoleculeColumns) -> Schema:
    return Schema(
        modality="text",
        shape=(encoder.context,),
        target=Target(name=columns.target, kind="value", unit=columns.unit, decimals=2),
        sensitive=encoder.sensitive,
        conditions=encoder.sensitive,
        unit="molecule",
        facts=TextFacts(padding=PADDING, unknown=UNKNOWN, vocabulary=encoder.tokens, column=encoder.text, piece=MOLECULE),
    )
