"""How often the errors audit finds a slice where there is none, and where there is one.

Run from the project's root: `python tests/calibration/slices.py --rows 4000` (three minutes on one core).
It prints the table of `docs/explanation/calibration-slices.md`.
"""

import argparse
import time

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.outputs import RowErrors
from glassbench_audits.errors.audit import ALPHA
from glassbench_audits.errors.slices import slices

BASE = 0.1
TIMES = 3
CUTS = {1: {"x0": 0.95}, 2: {"x0": 0.8}, 3: {"x0": 0.5, "x1": 0.6}}
"""Quantiles above which a row is in the planted slice; slices of two and three conditions also ask for c0 “b” (a quarter)."""


def table(seed: int, rows: int) -> tuple[pd.DataFrame, np.random.Generator]:
    """Return six numbers and four categories of five values, all independent."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{i}": generator.normal(size=rows) for i in range(6)})
    for i in range(4):
        frame[f"c{i}"] = generator.choice(list("abcde"), rows, p=[0.4, 0.25, 0.15, 0.1, 0.1])
    return frame, generator


def planted(frame: pd.DataFrame, conditions: int) -> np.ndarray:
    """Return which rows are in a slice of 5 % of the rows by so many conditions; none for 0."""
    if conditions == 0:
        return np.zeros(len(frame), dtype=bool)
    inside = np.ones(len(frame), dtype=bool)
    for name, cut in CUTS[conditions].items():
        inside &= (frame[name] > frame[name].quantile(cut)).to_numpy()
    return inside & (frame["c0"] == "b").to_numpy() if conditions > 1 else inside


def errors(generator: np.random.Generator, inside: np.ndarray, kind: str) -> RowErrors:
    """Return errors that are three times as frequent, or as large, inside the slice."""
    factor = np.where(inside, TIMES, 1)
    if kind == "wrong or right":
        wrong = (generator.random(len(inside)) < BASE * factor).astype(float)
        return RowErrors(size=wrong, binary=True, words="wrong", measure="error_rate")
    return RowErrors(size=generator.gamma(1.0, 1.0, len(inside)) * factor, binary=False, words="off", measure="off")


def found(seed: int, rows: int, conditions: int, kind: str) -> tuple[bool, bool]:
    """Return whether any slice was found, and whether one was that consists mostly of planted rows."""
    frame, generator = table(seed, rows)
    inside = planted(frame, conditions)
    tested, _ = slices(frame, errors(generator, inside, kind), np.random.default_rng([seed, 1]))
    named = [one for one in tested if one.p <= ALPHA]
    return bool(named), any(inside[one.inside].mean() >= 0.5 for one in named)


def main() -> None:
    """Print one line per setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--rows", type=int, nargs="+", default=[2000])
    options = parser.parse_args()
    print("| rows | errors are | conditions planted | data sets | any slice named | planted slice named | s per data set |")
    print("|---|---|---|---|---|---|---|")
    for rows in options.rows:
        for kind in ("wrong or right", "sizes"):
            for conditions in (0, 1, 2, 3):
                started = time.perf_counter()
                results = np.array([found(seed, rows, conditions, kind) for seed in range(options.sets)])
                seconds = (time.perf_counter() - started) / options.sets
                named, hit = results.mean(axis=0)
                right = f"{hit:.1%}" if conditions else "none planted"
                line = f"| {rows} | {kind} | {conditions} | {options.sets} | {named:.1%} | {right} | {seconds:.2f} |"
                print(line, flush=True)


if __name__ == "__main__":
    main()
