"""The same from Python: plan, run, resume and load runs, and audit what was trained elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from glassbench.contracts.external_subject import ExternalSubject
from glassbench.contracts.specs import DatasetSpec, TaskSpec
from glassbench.errors import DataError
from glassbench.experiments.experiment import read_experiment
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.plan import Plan
from glassbench.experiments.planning import make_plan, task_for
from glassbench.experiments.settings import arguments
from glassbench.experiments.trackers import everyones_trackers
from glassbench.external.components import MODEL, ROWS
from glassbench.external.given_rows import given_rows
from glassbench.external.output_format import Outputs
from glassbench.external.wrapping import wrap_model
from glassbench.pipeline import phases
from glassbench.pipeline.baselines import with_baselines
from glassbench.pipeline.frames import KeptFrame, kept, with_table
from glassbench.pipeline.given_env import refuse_rows, wrap_policy
from glassbench.pipeline.given_kind import encoded_by_plugin, known_kind, refuse_decisions, wrap_kind
from glassbench.pipeline.given_module import settings_of_batches, with_given
from glassbench.pipeline.notebook_progress import told, watching
from glassbench.pipeline.run_context import RunContext
from glassbench.pipeline.run_observer import RunObserver
from glassbench.registry import Registry
from glassbench.run_handle import Run, command_line
from glassbench.runs.all_runs import open_run


def plan(
    experiment: str | Path | Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    runs: str | Path = "runs",
    registry: Registry | None = None,
) -> Plan:
    """Resolve and validate all of an experiment; nothing is written and no data is read.

    Args:
        experiment: A YAML file, or its content as a mapping.
        overrides: Dotted overrides, `"model.hidden=[64,64]"`.
        runs: The folder of all runs, in which gates' baseline runs are looked for.
        registry: The plugins; None finds the installed ones.

    Raises:
        GlassbenchError: Something in the experiment is wrong; the message says what, where and how to mend it.
    """
    registry = registry or Registry()
    everyones_trackers(registry)  # what is wrong with them is said before anything is trained
    return with_baselines(make_plan(read_experiment(experiment, overrides), registry), Path(runs))


def run(
    experiment: str | Path | Mapping[str, Any],
    *,
    model: Any = None,
    data: Any = None,
    sensitive: Any = None,
    overrides: Sequence[str] = (),
    runs: str | Path = "runs",
    registry: Registry | None = None,
    observer: RunObserver | None = None,
) -> Run:
    """Train, audit and report an experiment.

    Args:
        experiment: A YAML file, or its content as a mapping.
        model: A LightningModule, which its own `training_step` trains, with `data` a LightningDataModule or DataLoaders by name
            (`train`, `validation`, `test`). The experiment then names no model and no file; `dataset` may hold `classes`,
            `positive`, `favourable`, `features` and `unit`. The run keeps the weights, and neither the class nor the rows:
            `resume` goes on with both given again.
        data: A DataFrame with the rows to learn from and to be judged by; the experiment's data set then names the target, the
            sensitive columns and so on, and no file. It is stored in the run's folder as `data.parquet`, so that the run can be
            resumed and audited again; its index is not used.
        sensitive: Groups of a given data module's test rows, in their order: a frame or a mapping of columns `(n,)`. Batches may
            bring them instead: `(inputs, target, groups)`.
        overrides: Dotted overrides, `"model.hidden=[64,64]"`.
        runs: The folder of all runs; the run gets one of its own in it.
        registry: The plugins; None finds the installed ones.
        observer: Is told of the run's progress; None for a bar in a notebook, and silence elsewhere.

    Raises:
        GlassbenchError: The experiment is wrong, or the data, a plugin or the storage failed; what was done until then can
            be resumed.
    """
    registry = registry or Registry()
    observer, root = observer or watching(), Path(runs).absolute()
    if model is not None:
        context = _given_started(experiment, model, data, sensitive, overrides, root, registry, observer)
    elif data is None:
        settled = plan(experiment, overrides=overrides, runs=root, registry=registry)
        context = phases.start(settled, registry, observer, root, command_line())
    else:
        document = read_experiment(experiment, overrides)
        with kept(data, root) as frame:
            made = make_plan(_reading_frame(document, frame, registry), registry)
            settled = with_baselines(replace(made, document=document), root)
            context = phases.start(settled, registry, observer, root, command_line(), frame=frame)
    phases.work(context)
    return _done(Run(context.folder, registry, observer), observer)


def _done(run: Run, observer: RunObserver) -> Run:
    told(observer, run.verdict)
    return run


def resume(
    run: str | Path | Run,
    *,
    model: Any,
    data: Any,
    sensitive: Any = None,
    registry: Registry | None = None,
    observer: RunObserver | None = None,
) -> Run:
    """Go on with a run whose LightningModule and loaders were given from Python, from where it stopped to its end.

    Args:
        run: The run, or its folder.
        model: A LightningModule of the same class with the same settings; its weights are replaced.
        data: The same data module or loaders.
        sensitive: The same groups, where they were given.
        registry: The plugins; None finds the installed ones.
        observer: Is told of the run's progress; None for silence.

    Raises:
        GlassbenchError: The module or the data are others than those the run started with.
    """
    from glassbench.external.given_training import given_training  # seconds to import, and most runs need none of it

    registry, observer = registry or Registry(), observer or watching()
    folder = open_run(run.folder if isinstance(run, Run) else Path(run))
    plan = phases.replan(folder, registry)
    given = given_training(model, data, arguments(plan.dataset.settings), sensitive, plan.seed)
    phases.work(RunContext(folder, plan, registry, observer, given=given))
    return _done(Run(folder, registry, observer), observer)


def _given_started(
    experiment: str | Path | Mapping[str, Any],
    model: Any,
    data: Any,
    sensitive: Any,
    overrides: Sequence[str],
    root: Path,
    registry: Registry,
    observer: RunObserver,
) -> RunContext:
    """Start a run of a module and loaders that were given."""
    from glassbench.external.given_training import given_training  # seconds to import, and most runs need none of it

    document = read_experiment(experiment, overrides)
    seed = document.content.get("seed", 0)
    given = given_training(model, data, settings_of_batches(document), sensitive, seed if isinstance(seed, int) else 0)
    made = make_plan(with_given(document, task_for(given.kind, registry)), registry)
    settled = with_baselines(replace(made, document=document), root)
    return phases.start(settled, registry, observer, root, command_line(), given=given)


def _reading_frame(document: Document, frame: KeptFrame, registry: Registry) -> Document:
    """Return the experiment with its data set reading the frame; an incomplete one is left for the plan to complain about."""
    dataset = document.content.get("dataset")
    name = dataset.get("use") if isinstance(dataset, Mapping) else dataset
    if not isinstance(name, str):
        return document
    spec = cast(DatasetSpec, registry.find("dataset", name, document.where("dataset.use")).spec)
    return with_table(document, spec.table_setting, frame.path)


def audit(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    env: Any = None,
    playing: Mapping[str, Any] | None = None,
    reading: Mapping[str, Any] | None = None,
    sensitive: Any = None,
    cluster: Any = None,
    weight: Any = None,
    task: str | Mapping[str, Any] | None = None,
    audits: Sequence[str] | Mapping[str, Any] | None = None,
    gates: Sequence[Mapping[str, Any]] = (),
    classes: Sequence[Any] = (),
    positive: Any = None,
    favourable: Any = None,
    outputs: Outputs = "auto",
    background: Any = None,
    held_out: bool | None = None,
    name: str | None = None,
    unit: str = "row",
    seed: int = 0,
    runs: str | Path = "runs",
    registry: Registry | None = None,
    observer: RunObserver | None = None,
) -> Run:
    """Audit a model that was trained elsewhere, with every audit that it allows; the run's folder and report are as of any run.

    The model and the rows are external: they stay in this process. The run stores the decisions on the rows and what audits
    show of single ones, and neither the model nor the table.

    Args:
        model: A `torch.nn.Module`, a `torch.export` program, an estimator with `predict`, the path of an ONNX file, a
            transformers pipeline that classifies, or any callable from rows to labels, probabilities or values. A classifier of
            texts or a language model: a transformers pipeline `text-classification` or `text-generation`, or the pair of a model
            and its tokenizer. With `env`, a policy of stable-baselines3.
        X: The rows, in the form the model reads: a data frame, an array, a tensor `(n, ...)`, or a list of texts or pictures.
        y: What was true `(n,)`, labels or values; None where it is not known.
        env: The environment of a policy, in place of rows: a registered id, a Gymnasium environment, or a function without
            arguments that makes one. Episodes are played with what the policy decides without chance, and audited as those of
            policies trained here.
        playing: How to play: `episodes` (100), `max_episode_steps`, `discount` (0.99).
        reading: How a model given with its tokenizer reads texts: `context`, tokens of a row (of a language model 128, or as many
            as it reads; of a classifier those of the longest text, or as many as it reads).
        sensitive: What to audit by: names of columns of X, or a frame or mapping of columns `(n,)`; of a policy, names of
            entries of the environment's `info`.
        cluster: What each row belongs to, such as a person with several rows: the name of a column of X, or a column `(n,)`. Such
            rows are not independent; audits resample whole clusters.
        weight: Survey or sample weights, 0 or above: the name of a column of X, or a column `(n,)`. Audits weigh rows in values,
            intervals and tests, or say that they cannot; only proportions of weights matter, and rows of weight 0 are left out.
        task: A task by name, with its settings if need be; None for the one that fits what the model predicts.
        audits: As in an experiment; None for every installed audit that is on by default.
        gates: Thresholds, as in an experiment.
        classes: Names of the classes in the order of the model's scores, where neither model nor truth tells.
        positive: The class that rates speak of; of two, the last.
        favourable: The outcome that is good for a person: a class or several, or `"higher"` or `"lower"` of a value. Selection
            rates and parity speak of it; names such as granted and refused tell by themselves.
        outputs: What the model answers, where looking at it does not tell.
        background: Rows like those it was trained on, for explanations to compare with; None takes the audited rows.
        held_out: True where the model was not trained on X, False where it was; None where that is not known. Only rows that
            are known to be held out can show that the model has learnt something, so explanations are graded "reliable" only
            with True and a truth.
        name: What the report is called; None for what the model is.
        unit: What one row is, in the singular.
        seed: Seed of everything random.
        runs: The folder of all runs; the run gets one of its own in it.
        registry: The plugins; None finds the installed ones.
        observer: Is told of the run's progress; None for a bar in a notebook, and silence elsewhere.

    Raises:
        GlassbenchError: The model, the rows or what was asked of them cannot be used.
    """
    registry = registry or Registry()
    if env is not None:
        rows = {"X": X, "y": y, "cluster": cluster, "weight": weight, "classes": tuple(classes), "positive": positive}
        refuse_rows({**rows, "background": background, "reading": reading})
        external, chosen = wrap_policy(registry, model, env, seed, sensitive, playing or {})
    else:
        external, chosen = _wrapped(
            registry,
            task,
            reading,
            model=model,
            X=X,
            y=y,
            sensitive=sensitive,
            cluster=cluster,
            weight=weight,
            classes=classes,
            positive=positive,
            favourable=favourable,
            outputs=outputs,
            background=background,
            held_out=held_out,
            unit=unit,
        )
    content = {
        "name": name or str(chosen["model"]["kind"])[:120],
        **chosen,
        "gates": list(gates),
        "seed": seed,
        **({} if audits is None else {"audits": dict(audits) if isinstance(audits, Mapping) else list(audits)}),
    }
    observer = observer or watching()
    try:
        context = phases.start(
            plan(content, runs=runs, registry=registry),
            registry,
            observer,
            Path(runs).absolute(),
            command_line(),
            external,
        )
        phases.work(context)
    finally:
        external.give_back()
    return _done(Run(context.folder, registry, observer), observer)


def _wrapped(
    registry: Registry,
    task: str | Mapping[str, Any] | None,
    reading: Mapping[str, Any] | None,
    *,
    model: Any,
    X: Any,
    **given: Any,
) -> tuple[ExternalSubject, dict[str, Any]]:
    """Wrap a model and its rows, and return what stands in the experiment for them."""
    if X is None:
        raise DataError("a model is audited on rows", got="no X", fix="give the rows as X, or the environment of a policy as env")
    if (component := known_kind(registry, model)) is not None:
        refuse_decisions(given)
        beside = {name: given[name] for name in ("sensitive", "cluster", "background", "held_out")}
        known, found = wrap_kind(component, model, given_rows(X, **beside), reading or {})
        return known, found if task is None else {**found, "task": task}
    encoded = encoded_by_plugin(registry, model, X, given["background"], reading or {})
    if reading and encoded is None:
        raise DataError(
            "this model reads rows as they are given", where="reading", got=str(dict(reading)), fix="leave reading out"
        )
    named = task.get("use") if isinstance(task, Mapping) else task
    predicted = None if named is None else cast(TaskSpec, registry.find("task", str(named)).spec).predicts
    external = wrap_model(model, X, kind=cast(Any, predicted), encoded=encoded, **given)
    chosen = {
        "dataset": {"use": ROWS, **external.facts["rows"]},
        "task": task or task_for(external.kind, registry),
        "model": {"use": MODEL, **external.facts["model"]},
    }
    return external, chosen


def load_run(folder: str | Path, *, registry: Registry | None = None, accept_changes: bool = False) -> Run:
    """Open a run's folder.

    Args:
        folder: The folder.
        registry: The plugins; None finds the installed ones.
        accept_changes: Take files as they are that were changed after the run wrote them, and record that in the run.

    Raises:
        RunError: It is no run folder, one of another version, or its files are not as they were written.
    """
    run = Run(open_run(Path(folder)), registry, accept_changes=accept_changes)
    run.confirm()
    return run
