"""SMILES are read as chemists write them: atoms, hydrogens, rings and bonds by hand, and against RDKit where it is installed."""

import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench.testing import check_dataset
from glassbench_plugins.molecules.encoder import MoleculeEncoder
from glassbench_plugins.molecules.files import molecules
from glassbench_plugins.molecules.rules import solubility_rules, true_contributions
from glassbench_plugins.molecules.smiles import AROMATIC, read_smiles

MOLECULES = [
    "CCO",
    "CC(=O)Oc1ccccc1C(=O)O",
    "c1ccc2c(c1)ccc3c2ccc4c5ccccc5ccc43",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "O=[N+]([O-])c1ccccc1",
    "ClC(Cl)(Cl)C#N",
    "c1ccc(cc1)c2ccccc2",
    "CS(=O)(=O)N",
    "c1cc[nH]c1",
    "C[C@H](N)C(=O)O",
    "F/C=C/F",
    "[Na+].[Cl-]",
    "C%10CCCCC%10",
    "C=1CCCCC1",
    "C1CCCC#1",
    "OP(=O)(O)O",
]


def test_ethanol_by_hand():
    molecule = read_smiles("CCO")
    assert [(atom.symbol, atom.hydrogens, atom.degree) for atom in molecule.atoms] == [("C", 3, 1), ("C", 2, 2), ("O", 1, 1)]
    assert molecule.bonds == ((0, 1, 1), (1, 2, 1))


def test_two_rings_are_aromatic_and_the_bond_between_them_is_single():
    molecule = read_smiles("c1ccc(cc1)c2ccccc2")
    kinds = [kind for _, _, kind in molecule.bonds]
    assert kinds.count(AROMATIC) == 12
    assert kinds.count(1) == 1
    assert sum(atom.hydrogens for atom in molecule.atoms) == 10


@pytest.mark.parametrize("text", ["C=1CCCCC1", "C1CCCCC=1", "C=1CCCCC=1", "C1=CCCCC1", "C=%12CCCCC%12"])
def test_a_ring_bond_has_the_order_that_either_of_its_ends_gives_it(text):
    """Cyclohexene in five spellings: one double bond, whose two atoms have a hydrogen each, the others two."""
    molecule = read_smiles(text)
    assert sorted(atom.hydrogens for atom in molecule.atoms) == [1, 1, 2, 2, 2, 2]
    ((first, last),) = [(a, b) for a, b, kind in molecule.bonds if kind == 2]
    assert {molecule.atoms[first].hydrogens, molecule.atoms[last].hydrogens} == {1}
    assert sorted(kind for _, _, kind in molecule.bonds) == [1, 1, 1, 1, 1, 2]


@pytest.mark.parametrize("text", MOLECULES)
def test_atoms_and_bonds_are_those_of_rdkit(text):
    chem = pytest.importorskip("rdkit.Chem")
    known, read = chem.MolFromSmiles(text), read_smiles(text)
    assert [atom.symbol.title() for atom in read.atoms] == [atom.GetSymbol() for atom in known.GetAtoms()]
    assert [atom.hydrogens for atom in read.atoms] == [atom.GetTotalNumHs() for atom in known.GetAtoms()]
    assert [atom.charge for atom in read.atoms] == [atom.GetFormalCharge() for atom in known.GetAtoms()]
    assert [atom.ring for atom in read.atoms] == [atom.IsInRing() for atom in known.GetAtoms()]
    pairs = {frozenset((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())) for bond in known.GetBonds()}
    assert {frozenset((a, b)) for a, b, _ in read.bonds} == pairs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C(C", "stays open"),
        ("C1CC", "the ring 1 that stays open"),
        ("CC)", "closes nothing"),
        ("C!C", "place 2"),
        ("", "nothing"),
        ("1CC", "without an atom"),
        ("[C", "place 1"),
    ],
)
def test_what_is_no_smiles_is_refused(text, words):
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_smiles(text)
    assert words in str(caught.value)


def test_a_table_keeps_its_promises_and_names_the_faulty_row(tmp_path):
    made = pd.concat([part.raw for part in (solubility_rules(1, rows=60).train, solubility_rules(1, rows=60).test)])
    made = made.assign(lab=["north", "south"] * (len(made) // 2) + ["north"] * (len(made) % 2))
    made.to_csv(tmp_path / "made.csv", index=False)
    settings = {"path": str(tmp_path / "made.csv"), "target": "log solubility", "sensitive": ("lab", "size")}
    data = check_dataset(molecules, encoder=MoleculeEncoder, **settings)
    assert set(data.test.groups.columns) == {"lab", "size"}
    made.iloc[3, 0] = "C1CC"
    made.to_csv(tmp_path / "made.csv", index=False)
    with pytest.raises(DataError, match="stays open") as caught:
        molecules(1, **settings)
    assert "row 3" in str(caught.value)


def test_bonds_lie_between_the_tokens_of_their_atoms():
    data = solubility_rules(1, rows=60)
    tokens, bonds = data.encoder.encode(pd.DataFrame({"smiles": ["CC(=O)N"]})).inputs
    assert bonds[0].nonzero().tolist() == [[0, 1], [1, 0], [1, 4], [1, 6], [4, 1], [6, 1]]
    assert int(bonds[0, 1, 4]) == 2
    assert (tokens[0] != 0).sum() == 7


def test_true_contributions_add_up():
    data = solubility_rules(1, rows=60, noise=0.0)
    row = data.test.raw.iloc[0]
    assert row["log solubility"] == pytest.approx(1 + sum(true_contributions(row["smiles"])), abs=1e-3)


def test_a_molecule_is_drawn_where_rdkit_is_installed():
    pytest.importorskip("rdkit")
    data = solubility_rules(1, rows=60)
    raw = pd.DataFrame({"smiles": ["CC(=O)N"]})
    assert data.encoder.drawn(raw, pd.Series(range(7)).to_numpy()).startswith("iVBOR")
