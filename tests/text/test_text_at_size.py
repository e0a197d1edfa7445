"""Published texts at full size; minutes each, so run on request."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

import glassbench

DATA = Path(__file__).parents[2].parent / "shared" / "data"
QUIET = {"performance": {}}


def needed(*parts):
    path = DATA.joinpath(*parts)
    return pytest.param(
        path, marks=pytest.mark.skipif(not path.is_file(), reason=f"{path.name} is not there"), id=path.parent.name
    )


def values(run):
    return {measure.name: measure.value for measure in run.measures if measure.by is None}


@pytest.mark.slow
@pytest.mark.parametrize("path", [needed("sms_spam", "SMSSpamCollection.tsv.gz")])
@pytest.mark.parametrize(
    "model", [{"use": "lstm", "dropout": 0.5}, {"use": "transformer", "dropout": 0.3}], ids=lambda model: model["use"]
)
def test_spam_is_told_from_messages(path, model, tmp_path):
    dataset = {"use": "text-table", "path": str(path), "text": "SMS", "target": "Label", "positive": "spam", "quotes": False}
    dataset |= {"tokens": "pieces", "vocabulary": 2000, "lowercase": False, "context": 80, "repeated": "scatter"}
    trainer = {"use": "lightning", "max_epochs": 10, "learning_rate": 0.003, "schedule": "linear", "warmup": 0.1}
    trainer |= {"optimizer": "adamw", "weight_decay": 0.01, "gradient_clip": 1.0, "threads": 1}
    experiment = {"name": "spam", "dataset": dataset, "task": {"use": "classification"}, "model": model, "trainer": trainer}
    found = values(glassbench.run({**experiment, "audits": QUIET, "seed": 1}, runs=tmp_path))
    print({name: found[name] for name in ("performance.accuracy", "performance.recall[spam]")})
    assert found["performance.accuracy"] >= 0.985
    assert found["performance.recall[spam]"] >= 0.92


@pytest.mark.slow
@pytest.mark.parametrize("path", [needed("rt_polarity", "rt-polarity.pos.gz")])
def test_reviews_are_told_apart(path, tmp_path):
    parts = {"good": path, "bad": path.with_name("rt-polarity.neg.gz")}
    lines = {tone: gzip.decompress(file.read_bytes()).decode("latin-1").splitlines() for tone, file in parts.items()}
    rows = [(text, tone) for tone, texts in lines.items() for text in texts]
    pd.DataFrame(rows, columns=["text", "tone"]).to_parquet(tmp_path / "reviews.parquet")
    dataset = {"use": "text-table", "path": str(tmp_path / "reviews.parquet"), "text": "text", "target": "tone", "context": 50}
    trainer = {"use": "lightning", "max_epochs": 8, "learning_rate": 0.002, "early_stopping": 2, "threads": 1}
    experiment = {"name": "reviews", "dataset": dataset, "task": {"use": "classification"}, "trainer": trainer}
    experiment |= {"model": {"use": "lstm", "dropout": 0.5, "embedding": 128}, "audits": QUIET, "seed": 1}
    found = values(glassbench.run(experiment, runs=tmp_path))
    print(found["performance.accuracy"])
    assert found["performance.accuracy"] >= 0.74


@pytest.mark.slow
@pytest.mark.parametrize("path", [needed("tiny_shakespeare", "input.txt.gz")])
def test_shakespeare_is_learnt_in_two_thousand_steps(path, tmp_path):
    trainer = {"use": "lightning", "max_steps": 2000, "max_epochs": 2, "batch_size": 12, "optimizer": "adamw"}
    trainer |= {"learning_rate": 0.002, "weight_decay": 0.1, "schedule": "cosine", "warmup": 0.05, "gradient_clip": 1.0}
    experiment = {
        "name": "shakespeare",
        "dataset": {"use": "text-file", "path": str(path), "context": 64, "validation_share": 0.02},
        "task": {"use": "next-token"},
        "model": {"use": "gpt", "layers": 4, "heads": 4, "width": 128},
        "trainer": {**trainer, "threads": 1},
        "audits": QUIET,
        "seed": 1,
    }
    found = values(glassbench.run(experiment, runs=tmp_path))
    print(found["performance.loss"])
    assert found["performance.loss"] <= 1.90


@pytest.mark.slow
@pytest.mark.parametrize("name", ["text-remarks", "text-topics", "language-pydoc"])
def test_examples_run_whole(name, tmp_path):
    run = glassbench.run(Path(__file__).parents[2] / "docs" / "examples" / f"{name}.yaml", runs=tmp_path)
    assert all(result.error is None for result in run.audits)
