"""Components of a plugin that misbehave at work: each costs its own run, with one clear error."""

import importlib.metadata

import pytest

from glassbench import GlassbenchError, Registry, run

BUILT_IN = list(importlib.metadata.entry_points(group="glassbench"))

PARTS = """
    import sys

    import torch

    from glassbench import Classes, DatasetSpec, ModelSpec, Task, TaskSpec, TrainerSpec, hookimpl

    def misbehave(how):
        if how == "raise":
            raise KeyError("column")
        if how == "exit":
            sys.exit(0)
        if how == "recurse":
            return misbehave(how)
        if how == "long":
            raise ValueError("line\\n" * 500)
        return {"none": None, "text": "hello"}.get(how)

    def rows(seed: int, *, how: str):
        return misbehave(how)

    class Model(torch.nn.Module):
        def __init__(self, schema, *, how: str, built: bool = True):
            super().__init__()
            self.how, self.layer = how, torch.nn.Linear(schema.shape[0], 2)
            if not built:
                misbehave(how)

        def forward(self, x):
            logits = self.layer(x)
            wide = torch.cat([logits, logits], 1)
            odd = {"short": logits[:-1], "wide": wide, "flat": logits[:, 0], "nan": logits * float("nan")}
            return odd[self.how] if self.how in odd else misbehave(self.how)

    class OddTask(Task):
        kind = Classes()
        metrics = ()

        def __init__(self, *, how: str):
            self.how = how

        def check(self, schema):
            misbehave(self.how)

        def learner(self, model, data, optimization):
            return misbehave(self.how)

        def predict(self, model, source):
            return misbehave(self.how)

        def attribution_output(self, output):
            return output

    class OddTrainer:
        def __init__(self, *, how: str):
            self.how = how

        def fit(self, *given, **named):
            return misbehave(self.how)

    @hookimpl
    def glassbench_datasets():
        yield DatasetSpec(name="rows", summary="Odd rows.", target="odd_parts:rows")

    @hookimpl
    def glassbench_models():
        yield ModelSpec(name="model", summary="An odd model.", target="odd_parts:Model")

    @hookimpl
    def glassbench_tasks():
        yield TaskSpec(
            name="task", summary="An odd task.", target="odd_parts:OddTask", predicts="class", models_of=("classification",)
        )

    @hookimpl
    def glassbench_trainers():
        yield TrainerSpec(name="trainer", summary="An odd trainer.", target="odd_parts:OddTrainer")
"""

QUICK = {
    "name": "quick",
    "dataset": "diabetes",
    "task": "classification",
    "model": {"use": "mlp", "hidden": [4]},
    "trainer": {"use": "lightning", "max_epochs": 1},
    "audits": ["performance"],
}


@pytest.fixture
def registry(install):
    return Registry([*BUILT_IN, *install("odd-parts", PARTS)])


@pytest.mark.parametrize("how", ["raise", "exit", "recurse", "long", "none", "text"])
@pytest.mark.parametrize("kind", ["dataset", "task", "model", "built", "trainer"])
def test_what_a_component_does_at_work_is_one_clear_error(registry, tmp_path, kind, how):
    if (kind, how) in (("built", "none"), ("built", "text"), ("task", "none"), ("task", "text")):
        how = "raise"  # nothing is expected of what these return
    used = {"dataset": "rows", "built": "model"}.get(kind, kind)
    changed = {"use": f"odd-parts/{used}", "how": how} | ({"built": False} if kind == "built" else {})
    with pytest.raises(GlassbenchError) as failed:
        run({**QUICK, {"built": "model"}.get(kind, kind): changed}, runs=tmp_path, registry=registry)
    said = str(failed.value)
    assert len(said.splitlines()) <= 6
    assert len(said) < 900
    assert used in said or kind in said or "output" in said


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("wide", "a tensor of shape (88, 4)"),
        ("flat", "a tensor of shape (88,)"),
        ("short", "batch_size (87)"),
        ("nan", "no longer a finite number"),
        ("none", "NoneType"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(registry, tmp_path, how, words):
    trainer = {"use": "lightning", "max_epochs": 1, "batch_size": 64}
    with pytest.raises(GlassbenchError) as failed:
        run({**QUICK, "model": {"use": "odd-parts/model", "how": how}, "trainer": trainer}, runs=tmp_path, registry=registry)
    assert words in str(failed.value)
