"""The whole fairness audit of rows in memory against Fairlearn's MetricFrame, side by side in one run.

Two sensitive features of 5 and 2 values, so 10 intersections; six rates; 1,000 resamples for the audit, which also judges, writes
sentences, tables and charts. Fairlearn measures the same six rates by the same three groupings; 100 resamples are timed on fewer
and scaled, or with none taken to cost what the point values cost, each.

Run: python tests/benchmarks/fairness.py [--rows 1000000] [--resamples 1] [--repeats 7]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import sklearn.metrics as skm

from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench_audits.fairness.audit import audit
from glassbench_audits.fairness.frames.counts import tally
from glassbench_audits.fairness.frames.groups import columns

SIZES = {"region": 5, "sex": 2}
GROUPINGS = (["region"], ["sex"], ["region", "sex"])
METRICS = {
    "selection_rate": fl.selection_rate,
    "true_positive_rate": fl.true_positive_rate,
    "false_positive_rate": fl.false_positive_rate,
    "false_negative_rate": fl.false_negative_rate,
    "precision": lambda t, p: skm.precision_score(t, p, zero_division=0),
    "accuracy": skm.accuracy_score,
}
PROMISED = 100
"""Resamples of Fairlearn's that the audit's 1,000 are held against."""


def rows(count: int, *, categorical: bool) -> pd.DataFrame:
    """Return predictions of noise: truth, decision and two groups."""
    generator = np.random.default_rng(0)
    sizes = {"y_true": 2, "y_pred": 2} | {f"group.{name}": size for name, size in SIZES.items()}
    frame = pd.DataFrame(
        {
            name: pd.Categorical.from_codes(generator.integers(0, size, count), [str(i) for i in range(size)])
            for name, size in sizes.items()
        }
    )
    return frame if categorical else frame.astype(str)


def subject_of(frame: pd.DataFrame) -> Subject:
    """Return what the audit examines."""
    target = Target(name="outcome", kind="class", classes=("0", "1"), positive="1")
    schema = Schema(modality="table", shape=(1,), target=target, sensitive=tuple(SIZES))
    task = SimpleNamespace(kind=Classes(), metrics=())
    return Subject(schema=schema, predictions=Predictions(frame=frame), task=task)


def fairlearn(frame: pd.DataFrame, resamples: int | None) -> None:
    """Measure as Fairlearn does, by every grouping."""
    truth, decision = (frame[name].cat.codes.to_numpy() for name in ("y_true", "y_pred"))
    for by in GROUPINGS:
        sensitive = pd.DataFrame({name: frame[f"group.{name}"].astype(str) for name in by})
        boot = {} if resamples is None else {"n_boot": resamples, "ci_quantiles": [0.025, 0.975], "random_state": 0}
        fl.MetricFrame(metrics=METRICS, y_true=truth, y_pred=decision, sensitive_features=sensitive, **boot)


def median(run: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the median wall and processor seconds of several runs, after one that is not counted."""
    run()
    taken = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        run()
        taken.append((time.perf_counter() - wall, time.process_time() - processor))
    first, second = (statistics.median(column) for column in zip(*taken, strict=True))
    return first, second


def in_turns(first: Callable[[], object], second: Callable[[], object], repeats: int) -> tuple[float, float, float]:
    """Return how many times as much processor time the second takes: the median of pairs, then the quartiles.

    The first runs four times in each turn, and the median of the last three counts: by then what it reads is in the caches again.
    """
    second()
    ratios = []
    for _ in range(repeats):
        one = statistics.median([once(first)[1] for _ in range(4)][1:])
        ratios.append(once(second)[1] / one)
    low, middle, high = statistics.quantiles(ratios, n=4)
    return middle, low, high


def once(run: Callable[[], object]) -> tuple[float, float]:
    """Return wall and processor seconds of one run."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - processor


def show(words: str, taken: tuple[float, float]) -> None:
    print(f"{words:58} {1e3 * taken[0]:12.2f} ms wall {1e3 * taken[1]:12.2f} ms processor", flush=True)


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--resamples", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--passes", type=int, metavar="N", help="only compare the audit with a counting pass, in N turns")
    given = parser.parse_args()
    frame = rows(given.rows, categorical=True)
    subject, texts = subject_of(frame), subject_of(rows(given.rows, categorical=False))
    features = columns(subject.predictions.groups)
    truth, decision = (frame[name].cat.codes.to_numpy().astype(np.uint8) for name in ("y_true", "y_pred"))
    cells = tally(features, truth, decision, 2).size
    if given.passes:
        ratio = in_turns(lambda: tally(features, truth, decision, 2), lambda: audit(subject), given.passes)
        print("audit / pass in {} turns: {:.1f} ({:.1f} to {:.1f})".format(given.passes, *ratio))
        return
    code = np.random.default_rng(0).integers(0, cells, given.rows)
    bare = median(lambda: np.bincount(code, minlength=cells), given.repeats)
    passing = median(lambda: tally(features, truth, decision, 2), given.repeats)
    ours = median(lambda: audit(subject), given.repeats)
    ours_texts = median(lambda: audit(texts), 3)
    show("np.bincount over codes that stand ready", bare)
    show("the pass over four categorical columns, np.bincount in it", passing)
    show("the whole audit, categorical columns", ours)
    show("the whole audit, text columns", ours_texts)
    plain = once(lambda: fairlearn(frame, None))
    each = plain
    if given.resamples:
        again = once(lambda: fairlearn(frame, given.resamples))
        each = tuple((b - a) / given.resamples for a, b in zip(plain, again, strict=True))
    scaled = tuple(a + PROMISED * e for a, e in zip(plain, each, strict=True))
    show("Fairlearn, point values", plain)
    show(
        f"Fairlearn, one resample, the mean of {given.resamples}"
        if given.resamples
        else "Fairlearn, one resample, taken as that",
        each,
    )
    show(f"Fairlearn with {PROMISED} resamples, scaled", scaled)
    for i, clock in enumerate(("wall", "processor")):
        print(
            f"{clock}: audit / bincount {ours[i] / bare[i]:.1f}, audit / pass {ours[i] / passing[i]:.1f}, "
            f"Fairlearn / audit {scaled[i] / ours[i]:,.0f}, with text columns {scaled[i] / ours_texts[i]:,.0f}"
        )


if __name__ == "__main__":
    main()
