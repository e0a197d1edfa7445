"""What terminals of any width show: nothing wider than the terminal, nothing lost, words beside signs."""

import click
import pytest
from click.testing import CliRunner

from glassbench.cli.app import COMMANDS, EXAMPLES, app
from glassbench.cli.options import print_table
from glassbench.cli.progress import print_verdict

ROWS = [("a measure with a long name, sex f", "0.5", "0.75", "0.25 [0.1, 0.4]"), ("short", "1", "2", "")]
GATE = {
    "measure": "fairness.equalized_odds_difference",
    "by": ["sex"],
    "at_least": None,
    "at_most": 0.2,
    "verdict": "fail",
    "reason": "the interval misses the threshold",
    "compared": [{"value": 0.5, "low": 0.3, "high": 0.7}],
}


@pytest.mark.parametrize("columns", [60, 80, 160, 200])
def test_no_line_is_wider_than_the_terminal(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    print_table(("measure", "first run", "second run", "second minus first"), ROWS)
    print_verdict("fail", [GATE])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    text = " ".join(" ".join(lines).split())
    assert all(cell in text for row in ROWS for cell in row)
    assert "fail" in text
    assert "at most 0.2" in text


def test_a_value_of_too_few_rows_says_so(capsys):
    few = {"value": 0.0, "low": None, "high": None, "unsupported": "sex “x”: 2 rows, at least 5 are needed"}
    reason = "too few events: sex “x”: 2 rows, at least 5 are needed"
    print_verdict("fail", [{**GATE, "verdict": "insufficient evidence", "reason": reason, "compared": [few]}])
    text = " ".join(capsys.readouterr().out.split())
    assert "0.000 (too few events: sex “x”: 2 rows, at least 5 are needed)" in text


def test_piped_output_keeps_a_line_per_row(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    print_table(("measure", "x" * 300), [("a", "b")])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_every_command_has_an_example_that_starts_with_it():
    assert set(EXAMPLES) == set(COMMANDS)
    assert all(example.startswith(f"glassbench {name}") for name, example in EXAMPLES.items())
    assert "Example: glassbench verify latest" in CliRunner().invoke(app, ["verify", "--help"]).output


@pytest.mark.parametrize(("wanted", "colour"), [("1", False), ("", None)])
def test_no_color_is_heard(wanted, colour, monkeypatch):
    monkeypatch.setenv("NO_COLOR", wanted)
    with app.make_context("glassbench", ["verify"]) as context:
        context.invoke(app.callback, debug=False, blocked=())
        assert click.get_current_context().color is colour
