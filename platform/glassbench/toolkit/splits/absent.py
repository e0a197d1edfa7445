"""Classes that a part of the data holds no row of."""

from collections.abc import Mapping, Sequence

from glassbench.contracts.data import Split
from glassbench.toolkit.splits.splits import Part


def absent_notes(splits: Mapping[Part, Split], classes: Sequence[str], unit: str) -> tuple[str, ...]:
    """Return a note for each part without a row of some class: what is said of that class there rests on nothing.

    Args:
        splits: The parts, with their truth where there is one.
        classes: Names of the classes in index order.
        unit: What one row is, in the singular.
    """
    notes = []
    for part, split in splits.items():
        held = set() if split.target is None else set(split.target.tolist())
        absent = [name for code, name in enumerate(classes) if code not in held]
        if absent:
            notes.append(f"No {unit} of the class{'es' if len(absent) > 1 else ''} {', '.join(absent)} is in the {part} part.")
    return tuple(notes)
