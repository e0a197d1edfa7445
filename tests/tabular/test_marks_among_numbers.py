"""Numbers that stand for a missing value or for a class are pointed out before anything is trained; honest numbers are not."""

import json

import numpy as np
import pandas as pd
import pytest

from glassbench.cli.app import invoke
from glassbench_plugins.tabular.marks_among_numbers import missing_marks

CHANCE = np.random.default_rng(4)
N = 500
AGE, PAY = CHANCE.integers(18, 90, N).astype(float), CHANCE.lognormal(10, 0.7, N).round(2)
CALLS = CHANCE.poisson(4, N).astype(float)


def with_mark(values, mark, share=0.05):
    return np.where(np.arange(N) % round(1 / share) == 0, mark, values)


@pytest.mark.parametrize(
    ("values", "mark"),
    [(AGE, 999), (AGE, -1), (AGE, -999), (CALLS, 99), (CALLS, -9), (CALLS, 88), (PAY, -999), (PAY, 9_999_999), (AGE / 100, 99)],
)
def test_a_mark_of_missing_values_is_seen(values, mark):
    marked = with_mark(values, mark)
    assert missing_marks(marked) == [(mark, int((marked == mark).sum()))]


def test_two_marks_are_seen():
    assert [mark for mark, _ in missing_marks(with_mark(with_mark(CALLS, -8, 0.1), -9, 0.05))] == [-9, -8]


@pytest.mark.parametrize(
    "values",
    [
        AGE,
        PAY,
        CALLS,
        CHANCE.normal(0, 300, N).round(),
        CHANCE.integers(0, 100, N).astype(float),
        CHANCE.integers(900, 1100, N).astype(float),
        CHANCE.choice([-1.0, 0, 1], N),
        CHANCE.choice([-1.0, 1], N),
        np.where(np.arange(N) == 7, 9999.0, PAY),
        CHANCE.choice(np.arange(-5.0, 6), N),
        np.full(N, np.nan),
        CHANCE.pareto(1, N).round() * 9,
    ],
)
def test_honest_numbers_have_no_mark(values):
    assert missing_marks(values) == []


def problems(path, frame, capsys):
    frame.to_csv(path, index=False)
    assert invoke(["inspect", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["problems"]


def test_inspect_names_the_setting_and_the_setting_helps(tmp_path, capsys):
    frame = pd.DataFrame({"bmi": with_mark(AGE / 3, 999).round(1), "sex": CHANCE.choice(["f", "m"], N), "risk": CHANCE.random(N)})
    (said,) = problems(tmp_path / "rows.csv", frame, capsys)
    assert said.startswith("bmi: 999 (25 cells) stands apart from all other numbers")
    assert "'999'], which holds for all columns" in said


@pytest.mark.parametrize(
    ("codes", "words"), [([1, 2], "read as classes"), ([0, 1, 2], "read as classes"), (range(1, 15), "kind=class")]
)
def test_a_coded_target_is_pointed_out(tmp_path, capsys, codes, words):
    frame = pd.DataFrame({"pay": PAY, "good": CHANCE.choice(list(codes), N)})
    (said,) = problems(tmp_path / "rows.csv", frame, capsys)
    assert said.startswith("good looks like a target")
    assert words in said


def test_a_target_of_amounts_or_texts_is_no_code(tmp_path, capsys):
    frame = pd.DataFrame({"a": AGE, "pay": PAY, "income": PAY.round() + AGE})
    assert problems(tmp_path / "rows.csv", frame, capsys) == []
    frame = pd.DataFrame({"a": AGE, "outcome": CHANCE.choice(["good", "bad"], N)})
    assert problems(tmp_path / "rows.csv", frame, capsys) == []
