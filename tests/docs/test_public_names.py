"""The page of public names lists what there is, and nothing else."""

import inspect
import re
from pathlib import Path

import pytest

import glassbench
from glassbench import public_names
from glassbench.contracts import hookspecs
from glassbench.contracts.specs import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "public-names.md"


def listed(heading):
    """Return the names in code font of the first column of a section's table."""
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


@pytest.mark.parametrize(
    ("heading", "names"), [("For users", public_names.FOR_USERS), ("For authors of plugins", public_names.FOR_AUTHORS)]
)
def test_each_public_name_is_listed_once(heading, names):
    assert sorted(listed(heading)) == sorted(names)


def test_names_lead_somewhere_and_are_grouped():
    assert all(getattr(glassbench, name) is not None for name in glassbench.__all__)
    assert sorted(glassbench.__all__) == sorted([*public_names.FOR_USERS, *public_names.FOR_AUTHORS])


def test_hooks_are_listed_with_their_arguments():
    hooks = {name: value for name, value in vars(hookspecs).items() if name.startswith("glassbench_")}
    assert sorted(listed("Hooks")) == sorted(
        f"{name}({', '.join(inspect.signature(hook).parameters)})" for name, hook in hooks.items()
    )


def test_each_hook_is_called_by_the_platform():
    source = "\n".join(path.read_text() for path in Path(glassbench.__file__).parent.rglob("*.py") if path.name != "hookspecs.py")
    lifecycle = [name for name in vars(hookspecs) if name.startswith("glassbench_")]
    kinds = {f"glassbench_{kind}s" for kind in KINDS}
    assert {name for name in lifecycle if name not in kinds and f'"{name}"' not in source} == set()
