"""Distributions that exist only for a test."""

import importlib.metadata
import sys
import textwrap

import pytest


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a one-module distribution; return its entry points of the group `glassbench`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    made = []

    def make(name, code, *, requires=(), version="1.0", entries=None):
        module = name.replace("-", "_")
        made.append(module)
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        lines = "\n".join(f"{entry} = {module}" for entry in entries or [name])
        (info / "entry_points.txt").write_text(f"[glassbench]\n{lines}\n")
        found = importlib.metadata.Distribution.discover(name=name, path=[str(tmp_path)])
        return [entry for dist in found for entry in dist.entry_points]

    yield make
    for module in made:  # the next test may install another module of the same name
        sys.modules.pop(module, None)
