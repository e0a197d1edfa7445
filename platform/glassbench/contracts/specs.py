"""The frozen specs that hooks yield: what a component is, known without importing it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from glassbench.contracts.question import Question

Form = Literal["module", "estimator", "external"]
When = Literal["before", "while", "after"]
Need = Literal["model", "gradients", "predictions", "truth", "groups", "history", "training data", "results"]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A component's metadata.

    Args:
        name: Short name, as an experiment writes it.
        summary: One line for lists.
        target: `"package.module:Object"`, imported on first use.
        extra: The optional extra that brings the component's own dependencies, if any.
        requires: Top-level packages the component needs beyond Glassbench's own; what is missing is named with the pip command.
        serves: Components that are not built in and that this one is the default for, by canonical name or, of the same
            distribution, by short name: a trainer names models, an audit tasks. What a built-in component is combined with by
            default is always built in, so that installing a plugin never changes an experiment.
    """

    kind: ClassVar[str]
    name: str
    summary: str
    target: str
    extra: str | None = None
    requires: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """What a person must know before using it: heading and words."""
        return ()


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """A function `(seed, *, settings...) -> Data`.

    Args:
        encoder: Target of the class that turns raw rows into inputs again after training
            (`glassbench.Encoder`); None when raw rows cannot be predicted.
        reader: Target of a function `(path, settings) -> DataFrame` that reads raw rows from a file as they were read for
            training; None reads Parquet with its types, and cells of CSV files as text.
        inspector: Target of a function `(path, settings) -> Inspection` (`glassbench.experiments.inspection`) that looks at a
            file; of a data set that reads folders, `(path, settings) -> FolderInspection`
            (`glassbench.experiments.folder_inspection`).
        folders: Usual endings of the files whose folders it reads; empty where it reads files.
        targets: Kinds of target it can bring (`Target.kind`); empty when that depends on the data.
        target_setting: The setting that chooses among them, if there are several.
        table_setting: The setting that names the file of its table; `glassbench.run(data=...)` gives a frame in its place. None
            where it reads no table.
        external: Whether it stands for external rows, given from Python, which no run can read again.
        wraps: Target of a function `(policy, env, seed, sensitive, *, settings...) -> ExternalSubject`
            (`glassbench.contracts.external_subject`) that wraps what was given as `glassbench.audit(policy, env=...)`;
            None where it stands for none.
        recognises: Target of a function `(model) -> bool` that tells whether a model given as `glassbench.audit(model, X)` is of
            a kind that the plugin reads rows for itself; it is asked of every such model, so its module imports nothing slow.
        wraps_rows: Target of a function `(model, rows, *, settings...) -> ExternalSubject` that wraps such a model and its rows
            (`glassbench.contracts.external_subject.GivenRows`).
    """

    kind: ClassVar[str] = "dataset"
    encoder: str | None = None
    reader: str | None = None
    inspector: str | None = None
    folders: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    target_setting: str | None = None
    table_setting: str | None = None
    external: bool = False
    wraps: str | None = None
    recognises: str | None = None
    wraps_rows: str | None = None


@dataclass(frozen=True, kw_only=True)
class TaskSpec(Spec):
    """A class `(*, settings...)` with the contract of `glassbench.Task`.

    Args:
        learnt: Whether a model learns it; a task that is not learnt takes decisions as the data set brings them, and an
            experiment with it names no model and no trainer.
        predicts: The kind of target it predicts (`Target.kind`), or None when it takes several.
        models_of: Tasks whose models it can be learnt with too, because their output has the same form (`regression`: one number
            per row).
        usual: Whether it is what a target of its kind is learnt by where nobody names a task.
    """

    kind: ClassVar[str] = "task"
    learnt: bool = True
    predicts: str | None = None
    usual: bool = True
    models_of: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """A callable `(schema, *, settings...)` that returns a network or an estimator.

    Args:
        form: `"module"` for a `torch.nn.Module` that descends a gradient, `"estimator"` for what is fitted to all rows at once: a
            scikit-learn estimator, or a module that fits itself (`glassbench.contracts.estimator.SelfFitting`), `"external"` for
            what stands for a model given from Python, which nothing trains.
        tasks: Names of the tasks it can serve; empty means any.
        differentiable: Whether gradients flow through the fitted model; None where its form says so.
        trusts: Types that the saved form of an estimator holds and that may be loaded, in full
            (`"lightgbm.sklearn.LGBMClassifier"`), beyond those of scikit-learn and NumPy. Name only types that run no code when
            they are loaded.
        variants: Target of a function `(given settings) -> callable`, where the settings of a model depend on one of them (the
            name of a class): it returns the callable `(schema, *, settings...)` that is meant. None where settings are fixed.
        recognises: Target of a function `(model, rows) -> bool` that tells whether a model given as
            `glassbench.audit(model, X, y)` is of this kind; it is asked of every such model, so its module imports nothing slow.
        encodes: Target of a function `(model, rows, background, *, settings...) -> EncodedModel`
            (`glassbench.contracts.external_subject`) that turns the rows of such a model into what its network reads.
    """

    kind: ClassVar[str] = "model"
    form: Form = "module"
    tasks: tuple[str, ...] = ()
    differentiable: bool | None = None
    trusts: tuple[str, ...] = ()
    variants: str | None = None
    recognises: str | None = None
    encodes: str | None = None

    @property
    def gives_gradients(self) -> bool:
        """Whether audits that need gradients can examine it."""
        return self.form != "estimator" if self.differentiable is None else self.differentiable


@dataclass(frozen=True, kw_only=True)
class TrainerSpec(Spec):
    """A class `(*, settings...)` with the contract of `glassbench.Trainer`.

    Args:
        trains: The form of model it trains.
        usual: Whether it may be what trains a model of its form where nobody names a trainer.
    """

    kind: ClassVar[str] = "trainer"
    trains: Form = "module"
    usual: bool = True


@dataclass(frozen=True, kw_only=True)
class AuditSpec(Spec):
    """A function `(subject, *, settings...) -> AuditResult`.

    Args:
        needs: What a subject must offer; an audit whose needs a run cannot meet is reported as not applicable. One that needs
            `results` comes after all others, and is made again whenever one of them is.
        measures: Names of the measures it yields, without the audit's name, so that a gate can be checked before anything is
            trained. `"{metric}"` stands for each metric of the task. None when they are not known beforehand.
        higher_is_better, lower_is_better: Patterns of the names of measures with that direction (`"*_difference*"`), so that a
            gate in the wrong direction is refused before anything is trained; metrics of the task know their own.
        shares: Patterns of the names of measures that lie between 0 and 1.
        default: Whether an experiment that names no audits gets it. One that is not built in is given to the tasks it `serves`.
        kinds: The kinds of prediction it is about (`PredictionKind.name`); empty for any. An experiment that names no audits gets
            it only where the task's is one of them.
        modalities: The kinds of rows it is about (`Schema.modality`); empty for any.
        answers: The question of a committee that it answers, under which its findings stand on a report's first screen: `quality`
            (is it good enough), `differences` (who is treated differently), `reasons` (why it decides so), `data` (which problems
            the data have); None for any other. A report says so where nothing answers one of them.
        people: Whether it is about groups of people. Reports do not offer it for rows that name none (`Schema.conditions`).
        counted: Whether it reads predictions whose equal rows were counted (`Predictions.frequency`); one that does not gets them
            expanded, and is reported as not applicable to more than a million.
        weighted: Whether it weighs rows as `Predictions.sampling` does; one that does not gets rows that count alike, and it is
            said.
        unknown_outcomes: Whether it can use rows whose outcome is not known (a missing `y_true`); one that cannot gets the others
            alone.
        deterministic: Whether the same subject gives the same result; not so for what is measured with a clock.
        recomputed: Target of a function `(subject, settings) -> Recomputed` (`glassbench.contracts.recomputed`) that computes its
            measures of predictions under weights of rows, so that runs on the same rows are compared pairwise; None where
            measures of two runs are compared by their intervals alone.
        row_changes: Target of a function `(subject, settings) -> Iterable[RowChange]` that says which rows its measures find
            fault with and what to do with each (`glassbench clean`); None where its findings are not about single rows.
        references: Patterns of the names of measures that say nothing of the model (a baseline's); comparisons of runs leave them
            out.
    """

    kind: ClassVar[str] = "audit"
    needs: tuple[Need, ...] = ()
    measures: tuple[str, ...] | None = None
    higher_is_better: tuple[str, ...] = ()
    lower_is_better: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    default: bool = False
    kinds: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    answers: Question | None = None
    people: bool = False
    counted: bool = False
    weighted: bool = False
    unknown_outcomes: bool = False
    deterministic: bool = True
    recomputed: str | None = None
    row_changes: str | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrackerSpec(Spec):
    """A class `(run, *, settings...)` with the contract of `glassbench.Tracker`: it is told what happens in a run."""

    kind: ClassVar[str] = "tracker"


@dataclass(frozen=True, kw_only=True)
class MitigationSpec(Spec):
    """A class `(*, settings...)` with the contract of `glassbench.Mitigation`: it changes how a run learns or decides.

    Args:
        when: Whether it acts before training (on training rows or on inputs), while training, or after it (on decisions).
        assumes: What must hold for it to help, one sentence.
        caution: When it is unlawful or unwise to use, one or two sentences.
        kinds: The kinds of prediction it serves (`PredictionKind.name`); empty for any.
        forms: The forms of model it serves; empty for any that is trained.
        binary: Whether it serves two classes alone.
        sensitive: Whether it needs sensitive features.
        at_decision: Whether it needs a row's sensitive features whenever the row is decided, also by `glassbench predict`.
        trusts: Types that the saved form of an estimator holds because of it, as `ModelSpec.trusts`.
    """

    kind: ClassVar[str] = "mitigation"
    when: When
    assumes: str
    caution: str
    kinds: tuple[str, ...] = ()
    forms: tuple[Form, ...] = ()
    binary: bool = False
    sensitive: bool = True
    at_decision: bool = False
    trusts: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """When it acts, what it serves, what it assumes, and when not to use it."""
        served = [f"predictions of kind {', '.join(self.kinds)}"] if self.kinds else []
        served += [f"models of form {', '.join(self.forms)}"] if self.forms else []
        served += ["two classes"] if self.binary else []
        needed = ["sensitive features"] if self.sensitive else []
        needed += ["a row's sensitive features at each decision"] if self.at_decision else []
        lines = (
            ("acts", f"{self.when} training"),
            ("serves", "; ".join(served)),
            ("needs", "; ".join(needed)),
            ("assumes", self.assumes),
            ("caution", self.caution),
        )
        return tuple((heading, words) for heading, words in lines if words)


@dataclass(frozen=True, kw_only=True)
class LauncherSpec(Spec):
    """A class `(*, settings...)` with the contract of `glassbench.Launcher`: it starts the runs of a study."""

    kind: ClassVar[str] = "launcher"


@dataclass(frozen=True, kw_only=True)
class CompressionSpec(Spec):
    """A class `(*, settings...)` with the contract of `glassbench.Compression`: it makes a trained model smaller.

    Args:
        acts_on: What it changes: the `network`, the `arrays` of an estimator (trees, weights), or the `graph` that was written of
            either. In a chain those on graphs come last.
        assumes: What must hold for it to lose little, one sentence.
        caution: When it is unwise to use, one or two sentences.
        calibrates: Whether it needs training rows to measure activations on.
        trains: Whether it trains, with the trainer of the run.
    """

    kind: ClassVar[str] = "compression"
    acts_on: Literal["network", "arrays", "graph"]
    assumes: str
    caution: str
    calibrates: bool = False
    trains: bool = False

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """What it changes, what it needs, what it assumes, and when not to use it."""
        needed = ["training rows"] if self.calibrates or self.trains else []
        needed += ["the trainer of the run"] if self.trains else []
        lines = (
            ("acts on", f"the {self.acts_on}"),
            ("needs", "; ".join(needed)),
            ("assumes", self.assumes),
            ("caution", self.caution),
        )
        return tuple((heading, words) for heading, words in lines if words)


KINDS: dict[str, type[Spec]] = {
    kind.kind: kind
    for kind in (
        DatasetSpec,
        TaskSpec,
        ModelSpec,
        TrainerSpec,
        AuditSpec,
        TrackerSpec,
        MitigationSpec,
        CompressionSpec,
        LauncherSpec,
    )
}
