"""Published pairs at full size; minutes each, so run on request."""

from pathlib import Path
from time import process_time

import pytest
import torch

import glassbench

ROOT = Path(__file__).parents[2]
MULTI30K = ROOT.parent / "shared" / "data" / "multi30k_en_fr"
DATASET = {"use": "text-pairs", "source": "en", "target": "fr", "vocabulary": 4000, "context": 48}
DATASET |= {"sensitive": [{"column": "words", "bins": [9, 14]}]}
CPU = {
    "task": {"use": "translation", "label_smoothing": 0.1},
    "model": {"use": "seq2seq-transformer", "layers": 2, "heads": 4, "width": 128, "expansion": 4.0, "dropout": 0.1},
    "trainer": {"max_epochs": 4, "batch_size": 32, "learning_rate": 0.0015, "warmup": 0.1, "threads": 1, "accelerator": "cpu"},
}
GPU = {
    "task": {"use": "translation", "label_smoothing": 0.1, "beams": 5},
    "model": {"use": "seq2seq-transformer", "layers": 4, "heads": 8, "width": 256, "expansion": 4.0, "dropout": 0.3},
    "trainer": {"max_epochs": 60, "batch_size": 128, "learning_rate": 0.001, "warmup": 0.1, "precision": "bf16-mixed"},
}


def multi30k(settings, runs, audits):
    if not MULTI30K.is_dir():
        pytest.skip(f"{MULTI30K.name} is not there")
    parts = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
    files = {key: [str(MULTI30K / f"{name}.{language}.gz") for language in ("en", "fr")] for key, name in parts.items()}
    paths = {"path": files.pop("train"), "split": {"by": "file", **files}}
    trainer = {"use": "lightning", "optimizer": "adamw", "weight_decay": 0.01, "schedule": "linear", "gradient_clip": 1.0}
    experiment = {**settings, "name": "multi30k", "dataset": {**DATASET, **paths}, "trainer": {**trainer, **settings["trainer"]}}
    start = process_time()
    run = glassbench.run({**experiment, "audits": audits, "seed": 1}, runs=runs)
    found = {measure.name: measure.value for measure in run.measures if measure.by is None}
    shown = {name: round(found[f"performance.{name}"], 3) for name in ("bleu", "chrf", "token_loss", "token_accuracy")}
    print(shown, f"{process_time() - start:.0f} s of processor time, reading, judging and audits included")
    return found


@pytest.mark.slow
def test_eight_minutes_on_a_processor_translate_captions(tmp_path):
    explain = {"rows": 24, "steps": 16, "cases": 1}
    assert multi30k(CPU, tmp_path, {"performance": {}, "explain": explain, "fairness": {}})["performance.bleu"] >= 15


@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_translates_captions(tmp_path):
    assert multi30k(GPU, tmp_path, {"performance": {}})["performance.bleu"] >= 50


@pytest.mark.slow
@pytest.mark.parametrize("name", ["translation-dates", "translation-numbers"])
def test_examples_run_whole(name, tmp_path):
    run = glassbench.run(ROOT / "docs" / "examples" / f"{name}.yaml", runs=tmp_path)
    found = {measure.name: measure.value for measure in run.measures if measure.by is None}
    print(name, found["performance.exact_match"])
    assert all(result.error is None for result in run.audits)
    assert found["performance.exact_match"] >= 0.99
