"""What models reach on published data, each by its experiment file; minutes each, so run on request.

    python -m pytest -m slow -s tests/benchmarks/test_published.py -k fashion

Prints what was measured, and the wall and processor seconds of the whole run, audits and report included.
"""

import gzip
import resource
import time
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

import glassbench

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
EXPERIMENTS = Path(__file__).parent / "experiments"


class Promise(NamedTuple):
    """An experiment, the measure it is judged by, and what that must reach."""

    experiment: str
    measure: str
    at_least: float | None = None
    at_most: float | None = None


PROMISES = (
    Promise("digits-cnn", "accuracy", at_least=0.985),
    Promise("digits-resnet", "accuracy", at_least=0.985),
    Promise("digits-vit", "accuracy", at_least=0.97),
    Promise("pneumonia", "roc_auc", at_least=0.93),
    Promise("fashion-cnn", "accuracy", at_least=0.91),
    Promise("spam-lstm", "accuracy", at_least=0.985),
    Promise("spam-lstm", "recall[spam]", at_least=0.92),
    Promise("spam-transformer", "accuracy", at_least=0.985),
    Promise("spam-transformer", "recall[spam]", at_least=0.92),
    Promise("reviews", "accuracy", at_least=0.74),
    Promise("shakespeare", "loss", at_most=1.90),
    Promise("etth1-dlinear", "mean_squared_error", at_most=0.40),
    Promise("etth1-patchtst", "mean_squared_error", at_most=0.39),
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Run each experiment once, however many promises it makes."""
    known = {}

    def of(name):
        if name not in known:
            folder = tmp_path_factory.mktemp(name)
            overrides = [f"dataset.path={reviews(folder)}"] if name == "reviews" else []
            wall, processor = time.monotonic(), processor_seconds()
            run = glassbench.run(EXPERIMENTS / f"{name}.yaml", overrides=overrides, runs=folder)
            taken = f"{time.monotonic() - wall:.0f} s, processor {processor_seconds() - processor:.0f} s"
            values = {m.name.removeprefix("performance."): m.value for m in run.measures if m.by is None and m.group is None}
            known[name] = values, taken
        return known[name]

    return of


@pytest.mark.slow
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: f"{promise.experiment}-{promise.measure}")
def test_the_promise_is_kept(promise, measured, monkeypatch):
    if not SHARED.is_dir() and not promise.experiment.startswith("digits"):
        pytest.skip(f"needs {SHARED.name}")
    monkeypatch.chdir(ROOT)  # the experiments' paths start there
    values, taken = measured(promise.experiment)
    value = values[promise.measure]
    print(f"\n{promise.experiment}: {promise.measure} {value:.4f}; {taken}")
    assert promise.at_least is None or value >= promise.at_least
    assert promise.at_most is None or value <= promise.at_most


def processor_seconds():
    """Seconds that all threads of this process have computed."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def reviews(folder):
    """Write the reviews' two files, one per class, as one table and return its path."""
    names = {"good": "rt-polarity.pos.gz", "bad": "rt-polarity.neg.gz"}
    lines = {tone: gzip.decompress((SHARED / "rt_polarity" / name).read_bytes()) for tone, name in names.items()}
    rows = [(text, tone) for tone, content in lines.items() for text in content.decode("latin-1").split("\n") if text.strip()]
    pd.DataFrame(rows, columns=["text", "tone"]).to_parquet(folder / "reviews.parquet")
    return folder / "reviews.parquet"
