"""Molecules from SMILES: tokens, atoms, bonds. A small reader of its own, so that no chemistry library is needed."""

import re
from dataclasses import dataclass

from glassbench.errors import DataError

_TOKENS = re.compile(r"\[[^\[\]]+\]|Br|Cl|[BCNOPSFIbcnops*]|[()=#$:/\\.~-]|%\d\d|\d")
_BRACKET = re.compile(r"\[\d*(?P<symbol>[A-Z][a-z]?|[a-z]{1,2}|\*)@{0,2}(?P<hydrogens>H\d?)?(?P<charge>[+-]+\d?)?(:\d+)?\]")
_ORDERS = {"-": 1, "/": 1, "\\": 1, "~": 1, "=": 2, "#": 3, "$": 4, ":": 5}
AROMATIC = 5
"""The kind of an aromatic bond; those of other bonds are their order."""

_VALENCES = {
    "B": (3,),
    "C": (4,),
    "N": (3, 5),
    "O": (2,),
    "P": (3, 5),
    "S": (2, 4, 6),
    "F": (1,),
    "Cl": (1,),
    "Br": (1,),
    "I": (1,),
}


@dataclass(frozen=True, kw_only=True)
class Atom:
    """An atom of a molecule.

    Args:
        token: Place of its token in the SMILES.
        symbol: Its element as SMILES writes it, in small letters where it is aromatic.
        hydrogens: Hydrogens at it that are no atoms of their own.
        charge: Its charge.
        degree: Bonds to other atoms.
        ring: Whether it is part of a ring.
    """

    token: int
    symbol: str
    hydrogens: int
    charge: int
    degree: int
    ring: bool

    @property
    def kind(self) -> str:
        """What the atom and its bonds say together, after the invariants of circular fingerprints (Rogers and Hahn 2010)."""
        charge = "" if self.charge == 0 else f"{self.charge:+d}"
        return f"{self.symbol}{charge} H{self.hydrogens} D{self.degree}{' ring' if self.ring else ''}"


@dataclass(frozen=True, kw_only=True)
class Molecule:
    """A molecule as a graph.

    Args:
        tokens: The tokens of its SMILES.
        atoms: Its atoms in the order of the SMILES.
        bonds: First and second atom of each bond, and its kind: the order, or `AROMATIC`.
    """

    tokens: tuple[str, ...]
    atoms: tuple[Atom, ...]
    bonds: tuple[tuple[int, int, int], ...]

    @property
    def aromatic(self) -> bool:
        """Whether an atom is aromatic."""
        return any(atom.symbol.islower() for atom in self.atoms)


def read_smiles(text: str) -> Molecule:
    """Read a SMILES (Weininger 1988). Stereochemistry and isotopes are passed over; parts divided by a dot share no bond.

    Raises:
        DataError: The text is no SMILES; the message says where it stops being one.

    Example:
        >>> molecule = read_smiles("CC(=O)O")
        >>> [atom.kind for atom in molecule.atoms], molecule.bonds
        (['C H3 D1', 'C H0 D3', 'O H0 D1', 'O H1 D1'], ((0, 1, 1), (1, 2, 2), (1, 3, 1)))
    """
    text = text.strip()
    tokens = _tokens(text)
    places, given = _linked(text, tokens)
    inside = _ring_bonds(len(places), [(a, b) for a, b, _ in given])
    bonds = tuple(_settled(a, b, kind, tokens, places, (a, b) in inside) for a, b, kind in given)
    rings = {atom for pair in inside for atom in pair}
    atoms = tuple(_atom(tokens[token], token, number, bonds, number in rings) for number, token in enumerate(places))
    return Molecule(tokens=tokens, atoms=atoms, bonds=bonds)


def _tokens(text: str) -> tuple[str, ...]:
    found, end = [], 0
    for match in _TOKENS.finditer(text):
        if match.start() != end:
            break
        found.append(match.group())
        end = match.end()
    if end != len(text) or not found:
        raise _unreadable(text, f"“{text[end : end + 8]}” at place {end + 1}" if text else "nothing")
    return tuple(found)


def _linked(text: str, tokens: tuple[str, ...]) -> tuple[list[int], list[tuple[int, int, int]]]:
    """Return the place of each atom's token, and bonds with their kinds; 0 where nothing is written."""
    places: list[int] = []
    bonds: list[tuple[int, int, int]] = []
    branches: list[int] = []
    rings: dict[str, tuple[int, int]] = {}
    last, kind = -1, 0
    for place, token in enumerate(tokens):
        if token in _ORDERS:
            kind = _ORDERS[token]
            continue
        if token == "(":
            branches.append(last)
        elif token == ")":
            if not branches:
                raise _unreadable(text, "a bracket that closes nothing")
            last = branches.pop()
        elif token == ".":
            last = -1
        elif token[0].isdigit() or token[0] == "%":
            number = token.lstrip("%")
            if last < 0:
                raise _unreadable(text, f"the ring number {number} without an atom")
            if number in rings:
                first, order = rings.pop(number)
                bonds.append((first, last, kind or order))
            else:
                rings[number] = (last, kind)
        else:
            places.append(place)
            if last >= 0:
                bonds.append((last, len(places) - 1, kind))
            last = len(places) - 1
        kind = 0
    if branches or rings:
        raise _unreadable(text, f"the ring {next(iter(rings))} that stays open" if rings else "a bracket that stays open")
    if not places:
        raise _unreadable(text, "no atom")
    return places, bonds


def _settled(a: int, b: int, kind: int, tokens: tuple[str, ...], places: list[int], ring: bool) -> tuple[int, int, int]:
    """Return a bond with its kind: unwritten, it is aromatic between aromatic atoms of a ring, else single."""
    if kind:
        return a, b, kind
    both = all(_symbol(tokens[places[atom]]).islower() for atom in (a, b))
    return a, b, AROMATIC if both and ring else 1


def _atom(token: str, place: int, number: int, bonds: tuple[tuple[int, int, int], ...], ring: bool) -> Atom:
    kinds = [kind for a, b, kind in bonds if number in (a, b)]
    symbol, charge, hydrogens = _symbol(token), 0, 0
    if token[0] == "[":
        match = _BRACKET.fullmatch(token)
        if match is None:
            raise _unreadable(token, f"the atom {token}")
        written = match["hydrogens"]
        hydrogens = 0 if written is None else int(written[1:] or 1)
        charge = _charge(match["charge"] or "")
    else:
        order = sum(1 if kind == AROMATIC else kind for kind in kinds) + symbol.islower()
        # An aromatic atom has its lowest valence or no room for hydrogen: sulphur in thiophene has none.
        valences = _VALENCES.get(symbol.title(), ())[: 1 if symbol.islower() else None]
        hydrogens = next((most - order for most in valences if most >= order), 0)
    return Atom(token=place, symbol=symbol, hydrogens=hydrogens, charge=charge, degree=len(kinds), ring=ring)


def _symbol(token: str) -> str:
    match = _BRACKET.fullmatch(token)
    return match["symbol"] if match is not None else token


def _charge(text: str) -> int:
    if not text:
        return 0
    digits = text.lstrip("+-")
    size = int(digits) if digits else len(text)
    return size if text[0] == "+" else -size


def _ring_bonds(atoms: int, pairs: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the bonds that are part of a ring: those whose ends stay linked without them."""
    near: list[set[int]] = [set() for _ in range(atoms)]
    for a, b in pairs:
        near[a].add(b)
        near[b].add(a)
    return {(a, b) for a, b in pairs if _linked_without(near, a, b)}


def _linked_without(near: list[set[int]], a: int, b: int) -> bool:
    seen, left = {a}, [other for other in near[a] if other != b]
    while left:
        atom = left.pop()
        if atom == b:
            return True
        if atom not in seen:
            seen.add(atom)
            left.extend(near[atom])
    return False


def _unreadable(text: str, got: str) -> DataError:
    return DataError(f"the SMILES “{text[:60]}” cannot be read", got=got, fix="correct the row, or leave it out")
