"""The phase that fits the model: here or in processes of its own, with what it leaves in the run's folder."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from glassbench.contracts.trainer import Fitted, Record, Trainer, Workspace
from glassbench.errors import FitError
from glassbench.pipeline.building import blamed
from glassbench.pipeline.mitigated_data import accounts
from glassbench.pipeline.run_context import RunContext
from glassbench.runs.artifacts import save_trained
from glassbench.runs.run_folder import RunFolder, append_line
from glassbench.storage.files import read_object, write_text
from glassbench.system.child_python import run_module
from glassbench.system.energy import metered


def fit(context: RunContext) -> Sequence[str]:
    """Train the model and keep it; where the task is not learnt, look at the data alone."""
    model, trainer = context.plan.model, context.plan.trainer
    source = context.plan.dataset.component.spec.name
    context.observer.phase(
        "fit", f"{model.component.spec.name} on {source}" if model and trainer else f"nothing to fit on {source}"
    )
    task = context.task
    fitted, kept = None, tuple[str, ...]()
    if model is not None and trainer is not None:
        fresh = context.fresh_model(model)
        with metered() as meter, blamed(trainer, f"training '{model.component.spec.name}'"):
            made = cast(Trainer, trainer.make())
            if made.several_processes:
                spread(context.folder, context.events.missed)
            data = context.training_data
            fitted = made.fit(context.wrapped(fresh, data), task, data, workspace_of(context))
        if meter.energy.kilowatt_hours is not None:
            fitted = replace(fitted, facts={**fitted.facts, "energy": meter.energy.to_json()})
        kept = (save_trained(context.folder.path, fitted.model), *context.calibrate(fitted.model))
    lines = [json.dumps(record) for record in context.folder.history()]
    write_text(context.folder.path / "metrics.jsonl", "".join(f"{line}\n" for line in lines))
    _note_training(context.folder, fitted)
    _note_mitigations(context)
    return ("metrics.jsonl", *kept)


def spread(folder: RunFolder, meanwhile: Callable[[], None]) -> None:
    """Have the model fitted by processes of their own, and wait for them.

    Args:
        folder: The run's folder.
        meanwhile: Called once in a while until they are done, and once after.

    Raises:
        FitError: They did not come to an end; the message holds the last of what they said.
    """
    done = run_module("glassbench.training_process", str(folder.path), meanwhile=meanwhile)
    meanwhile()
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-6:])
        raise FitError("training in several processes failed", got=said or f"exit code {done.returncode}")


def workspace_of(context: RunContext) -> Workspace:
    """Return what a trainer may use while it fits this run's model."""
    path = context.folder.path / "metrics.jsonl"

    def record(line: Record) -> None:
        append_line(path, line)
        context.events.metric(line)

    folder = context.folder.path / "checkpoints"
    return Workspace(seed=context.plan.seed, folder=folder, record=record, interactive=context.observer.interactive)


def _note_mitigations(context: RunContext) -> None:
    chosen = context.plan.mitigations
    if chosen.choices:
        done = accounts(chosen, context.training_data, context.mitigation_facts)
        context.folder.write("provenance.json", {**read_object(context.folder.path / "provenance.json"), "mitigations": done})


def _note_training(folder: RunFolder, fitted: Fitted | None) -> None:
    provenance = read_object(folder.path / "provenance.json")
    data = read_object(folder.path / "data.json")["fingerprint"]
    training = {} if fitted is None else {"training": dict(fitted.facts), "callbacks": list(fitted.callbacks)}
    folder.write("provenance.json", {**provenance, **training, "data": data})
