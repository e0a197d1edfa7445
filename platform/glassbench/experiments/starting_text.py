"""What experiments written for data have in common: their first line, their name, and how they end."""

from collections.abc import Iterable

from glassbench.experiments.experiment_file import dump

_LONGEST = 60


def opening(held: str, called: str, problems: Iterable[str], otherwise: str) -> list[str]:
    """Return the first lines of an experiment: what the data hold, what a reader must know of them, and its name.

    Args:
        held: What the data hold, in words.
        called: What the file or folder is called, after which the experiment is named.
        problems: What was found in the data.
        otherwise: The name where that has no letters.
    """
    name = "".join(c if c.isalnum() else "-" for c in called)[:_LONGEST].strip("-") or otherwise
    said = (f"# {' '.join(problem.split())}" for problem in problems)
    return [f"# Written by `glassbench init` for {held}.", *said, dump({"name": name}).rstrip()]


def ending(gate: str) -> list[str]:
    """Return the last lines of an experiment: no gates yet, an example of one, and the seed."""
    return [
        "# A gate passes only when the whole interval meets its threshold, for example:",
        f"#  - {gate}",
        dump({"gates": []}).rstrip(),
        dump({"seed": 0}).rstrip(),
        "",
    ]
