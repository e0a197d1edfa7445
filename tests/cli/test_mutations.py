"""Mutated experiments and files of decisions end in an answer or in one clear screen, whatever was done to them."""

import os
import random
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pandas as pd
import pytest

from glassbench.cli.app import invoke

EXPERIMENT = """\
name: loans
dataset: {use: table, path: loans.csv, target: granted, sensitive: [sex, {column: age, bins: [30, 50]}], split: {validation: 0.2}}
task: {use: classification}
model: {use: mlp, hidden: [8, 8]}
trainer: {use: lightning, max_epochs: 1, batch_size: 32}
audits: [performance, {use: fairness, level: 0.9}]
gates:
  - {measure: performance.accuracy, at_least: 0.5}
  - {measure: fairness.equalized_odds_difference, by: sex, at_most: 0.2}
seed: 7
"""

ODD = (
    *("", "~", "null", "[]", "{}", "true", "-1", "1e999", ".nan", "-.inf", "0x1F", "1_000", "2024-01-01", "12:30:45"),
    *("!!binary aGk=", "!!python/object:os.system x", "&a [*a]", "*missing", "? [a]", "<<: {a: 1}", '"\\x00"', '"\\ud800"'),
    *("'\u202e'", "\u0663", "\u0967\u0968", "\u00b2", "~nosuchuser/x.csv", "/", "..", "x" * 5000, "a\tb", "{a: {b: {c: {}}}}"),
    *("[" * 60 + "]" * 60, "9" * 400, "9" * 20, "[1, [2, [3]]]", "{1: 2}", "{[1]: 2}", "{null: 1}", "{true: 1}", "yes", "0.0"),
    *("1.5", "-0.1", "95", "model.hidden", "!tag x", "|\n  text"),
)
CELLS = (
    *("", "NaN", "inf", "-inf", "1e400", "'", '"', '""', "\x00", "\ufeff", "\u202e", "\u0663", "x" * 5000, "=1+1", "-", "1,5"),
    *("(3)", "\U0001f642", "\\", "\r"),
)
KEYS = ("dataset", "use", "path", "target", "sensitive", "hidden", "level", "measure", "by", "seed", "gates", "audits", "name")


def experiments(seed: int) -> Iterator[bytes]:
    """Yield mutated experiment files without end."""
    generator = random.Random(seed)
    while True:
        text = EXPERIMENT
        for _ in range(generator.choice((1, 1, 1, 2, 4))):
            text = generator.choice((_value, _key, _line, _characters))(text, generator)
        yield _bytes(text.encode("utf-8", "surrogatepass"), generator)


def decisions(seed: int) -> Iterator[bytes]:
    """Yield mutated files of decisions without end."""
    generator = random.Random(seed)
    while True:
        rows = [["granted", "decision", "p", "sex", "age"], *(_row(generator) for _ in range(60))]
        for _ in range(generator.choice((1, 1, 2, 5))):
            row = generator.randrange(len(rows))
            column = generator.randrange(5)
            what = generator.randrange(6)
            if what == 0:
                rows[row % len(rows)] = rows[row][:-1]
            elif what == 1:
                rows[row] = [*rows[row], generator.choice(CELLS)]
            elif what == 2:
                rows = [[*r[:column], generator.choice(CELLS), *r[column + 1 :]] for r in rows]
            elif what == 3:
                rows[0] = [generator.choice((*CELLS, "sex", "p")) if i == column else name for i, name in enumerate(rows[0])]
            elif column < len(rows[row]):
                rows[row][column] = generator.choice(CELLS)
        text = "\n".join((generator.choice(";\t") if generator.random() < 0.01 else ",").join(row) for row in rows)
        yield _bytes(text.encode("utf-8", "surrogatepass"), generator)


def _row(generator: random.Random) -> list[str]:
    truth, decision = (str(generator.randint(0, 1)) for _ in range(2))
    return [truth, decision, f"{generator.random():.3f}", generator.choice("mw"), str(generator.randint(20, 70))]


def _value(text: str, generator: random.Random) -> str:
    places = [i for i, c in enumerate(text) if c == ":"]
    at = generator.choice(places) + 1
    end = min((text.find(c, at) for c in ",}\n" if text.find(c, at) >= 0), default=len(text))
    return f"{text[:at]} {generator.choice(ODD)}{text[end:]}"


def _key(text: str, generator: random.Random) -> str:
    words = [
        "dataset",
        "use",
        "path",
        "target",
        "sensitive",
        "hidden",
        "level",
        "measure",
        "by",
        "seed",
        "gates",
        "audits",
        "name",
        "trainer",
    ]
    return text.replace(generator.choice(words), generator.choice((*ODD, "usee", "naem")), generator.choice((1, -1)))


def _line(text: str, generator: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    at = generator.randrange(len(lines))
    change: Callable[[], list[str]] = generator.choice(
        (
            lambda: [*lines[:at], *lines[at + 1 :]],
            lambda: [*lines[:at], lines[at], lines[at], *lines[at + 1 :]],
            lambda: [*lines[:at], "  " + lines[at], *lines[at + 1 :]],
            lambda: [*lines[:at], f"{generator.choice(ODD)}: {generator.choice(ODD)}\n", *lines[at:]],
        )
    )
    return "".join(change())


def _characters(text: str, generator: random.Random) -> str:
    at = generator.randrange(len(text))
    return text[:at] + generator.choice("{}[]:,-#&*!|>'\"%@`\t\x00\ud800\ufeff\u2028ÄÖ") + text[at + generator.randint(0, 2) :]


def _bytes(content: bytes, generator: random.Random) -> bytes:
    what = generator.randrange(40)
    if what == 0:
        return content[: generator.randrange(len(content) + 1)]
    if what == 1:
        at = generator.randrange(max(1, len(content)))
        return content[:at] + bytes([generator.randrange(256)]) + content[at + 1 :]
    if what == 2:
        return content.decode("utf-8", "replace").encode("utf-16")
    return content


AUDIT = ("x.csv", "--truth", "granted", "--decision", "decision", "--score", "p", "--sensitive", "sex", "--positive", "1")
LONGEST = 4_000
"""Characters of one screen."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    generator = np.random.default_rng(1)
    columns = {name: generator.choice(values, 200) for name, values in {"granted": ["yes", "no"], "sex": ["m", "w"]}.items()}
    pd.DataFrame({**columns, "age": generator.integers(20, 70, 200), "income": generator.integers(1, 9, 200)}).to_csv(
        tmp_path / "loans.csv", index=False
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(arguments: list[str], name: str, mutants: Iterator[bytes], count: int, capsys: pytest.CaptureFixture[str]) -> set[int]:
    codes = set()
    for number, content in enumerate(islice(mutants, count)):
        with open(name, "wb") as file:
            file.write(content)
        codes.add(invoke(arguments))
        said = capsys.readouterr()
        assert "something unexpected" not in said.err, (number, said.err)
        assert len(said.err) < LONGEST, (number, len(said.err))
        assert not {c for c in said.out + said.err if ord(c) < 32 and c not in "\n\t"}, number
    return codes


def test_the_experiment_itself_is_planned(folder):
    (folder / "x.yaml").write_text(EXPERIMENT)
    assert invoke(["plan", "x.yaml"]) == 0


def test_mutated_experiments_are_planned_or_refused(folder, capsys):
    assert check(["plan", "x.yaml"], "x.yaml", experiments(2), 100, capsys) == {0, 2}


def test_mutated_decisions_are_audited_or_refused(folder, capsys):
    assert 2 in check(["audit", *AUDIT, "audits=[performance]"], "x.csv", decisions(3), 40, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [int(os.environ.get("GLASSBENCH_SEED", "11")) + k for k in range(3)])
def test_thousands_of_mutants(folder, capsys, seed):
    check(["plan", "x.yaml"], "x.yaml", experiments(seed), 700, capsys)
    check(["audit", *AUDIT, "audits=[performance]"], "x.csv", decisions(seed), 300, capsys)
