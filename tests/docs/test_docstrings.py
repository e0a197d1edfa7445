"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "platform", ROOT / "plugins", ROOT / "audits"]


def name_of(source: Path, path: Path) -> str:
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = sorted(
    name_of(source, path) for source in SOURCES for path in source.rglob("*.py") if re.search(r"^ +>>> ", path.read_text(), re.M)
)


def module_of(name: str) -> ModuleType:
    """Import a module; one whose optional package is not installed skips the test."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("glassbench"):
            raise
        pytest.skip(f"{error.name} is not installed")


def test_examples_are_found():
    assert {"glassbench.stats.contrast", "glassbench.report.numbers", "glassbench_audits.attribution.agreement"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_examples_in_docstrings_run(name):
    found = doctest.testmod(module_of(name))
    assert found.attempted > 0
    assert found.failed == 0
