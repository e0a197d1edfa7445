"""The credit-scoring walk-through: its Python, its commands and its files, in their order, in one folder."""

import re
import shlex
from pathlib import Path

import pytest

from glassbench.cli.app import invoke

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "credit-scoring.md"
BLOCK = re.compile(r"^```(python|yaml|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(block):
    """Yield each command with the lines that stand below it: parts of its output, or its exit code."""
    for part in re.split(r"^\$ glassbench ", block, flags=re.MULTILINE)[1:]:
        line, *below = part.strip().splitlines()
        yield shlex.split(line), below


def follow(block, capfd):
    for arguments, below in commands(block):
        code = invoke(arguments)
        said = " ".join(capfd.readouterr().out.split())
        expected = next((int(line.split()[-1]) for line in below if line.startswith("exit code")), 0)
        assert code == expected, (arguments, said)
        for line in below:
            assert line.startswith("exit code") or " ".join(line.split()) in said, (arguments, line, said)


@pytest.mark.slow
def test_each_step_does_what_the_page_says(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page", "tmp_path": tmp_path}
    found = BLOCK.findall(PAGE.read_text())
    assert {language for language, _ in found} == {"python", "yaml", "console"}
    for language, block in found:
        if language == "python":
            exec(compile(block, str(PAGE), "exec"), names)
        elif language == "yaml":
            experiment = Path("loans.yaml")
            experiment.write_text(block if "dataset:" in block else experiment.read_text() + block)
        else:
            follow(block, capfd)
