"""The experiment: what a person asks for, checked for form; names and settings are checked by the plan."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from glassbench.errors import ExperimentError, SettingsError, suggest
from glassbench.experiments.about import About
from glassbench.experiments.budget import seconds_of
from glassbench.experiments.experiment_file import Document, override, read_document
from glassbench.experiments.gates import Gate
from glassbench.experiments.settings import settings_error
from glassbench.stats.settings_types import PositiveShare

Form = TypeVar("Form", bound=BaseModel)
_NAMED = ("dataset", "task")
"""Keys that name a component and have no default."""


class Use(BaseModel):
    """A component by name, with its settings beside it; the name alone may stand for both.

    Args:
        use: Short or canonical name.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    use: str

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, content: Any) -> Any:
        return {"use": content} if isinstance(content, str) else content

    @property
    def settings(self) -> dict[str, Any]:
        """The settings given."""
        return dict(self.model_extra or {})


class CleaningUse(BaseModel):
    """Which rows are dropped or relabelled: a file as `glassbench clean` proposes it; the name alone may stand for both.

    Args:
        file: Its path, relative to the current folder.
        version: The version that it must have; None for any.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(min_length=1)
    version: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, content: Any) -> Any:
        return {"file": content} if isinstance(content, str) else content


class Experiment(BaseModel):
    """Which data set, task, model, trainer, audits, gates and trackers, with their settings.

    Args:
        name: What the experiment is called in reports.
        about: What people say of the run: purpose, owner, limits, contacts.
        dataset: The data set.
        task: The learning problem.
        model: The model; none where the task is not learnt.
        trainer: The trainer; without it, the one that trains this form of model.
        audits: Audits by name, each with its settings; without it, every installed audit that asks to be on by default.
        budget: Seconds all audits may take together, written as `audits.budget: 120s`; beyond, they look at a sample of the rows.
        gates: Thresholds on measures.
        cleaning: Which rows of the data are dropped or relabelled; None changes nothing.
        mitigations: What changes how the run learns or decides; in this order.
        trackers: Who else is told what happens in the run.
        training_share: Share of the training rows to learn from, drawn at random; rows to be judged stay as they are.
        seed: Seed of everything random.
        allow_failed: Whether the run may pass although an audit failed; otherwise its evidence is insufficient.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=120)
    about: About = About()
    dataset: Use
    task: Use
    model: Use | None = None
    trainer: Use | None = None
    audits: dict[str, dict[str, Any]] | None = None
    budget: Annotated[float, BeforeValidator(seconds_of)] | None = None
    gates: tuple[Gate, ...] = ()
    cleaning: CleaningUse | None = None
    mitigations: tuple[Use, ...] = ()
    trackers: tuple[Use, ...] = ()
    training_share: PositiveShare = 1.0
    seed: int = Field(default=0, ge=0, lt=2**31)
    allow_failed: bool = False

    @model_validator(mode="before")
    @classmethod
    def _audits_by_name_alone(cls, content: Any) -> Any:
        audits = content.get("audits") if isinstance(content, Mapping) else None
        if isinstance(audits, list):
            return {**content, "audits": _audits_of(audits)}
        if isinstance(audits, Mapping):
            timed = {"budget": audits["budget"]} if isinstance(audits.get("budget"), str | int | float) else {}
            named = {name: settings or {} for name, settings in audits.items() if name not in timed}
            return {**content, "audits": None if timed and not named else named, **timed}
        return content

    @field_validator("audits", mode="before")
    @classmethod
    def _audits_in_one_of_two_forms(cls, audits: Any) -> Any:
        if audits is not None and not isinstance(audits, Mapping):
            raise ValueError("a list of names, each once: [performance, fairness]; or settings by name: {fairness: {level: 0.9}}")
        return audits

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Check the form of an experiment as written.

        Raises:
            ExperimentError: A key is unknown, missing or of the wrong type; the message names file, line and path.
        """
        return validated(cls, document)


def validated(form: type[Form], document: Document) -> Form:
    """Check a document as written against its form.

    Raises:
        ExperimentError: A key is unknown, missing or of the wrong type; the message names file, line and path.
    """
    known = list(form.model_fields)
    unknown = [key for key in document.content if key not in known]
    if unknown:
        raise ExperimentError(
            f"unknown key '{unknown[0]}'",
            where=document.where(unknown[0]),
            got=unknown[0],
            available=known,
            fix=suggest(unknown[0], known),
        )
    try:
        return form.model_validate(document.content)
    except ValidationError as error:
        raise located(_with_names(settings_error(error, "", form)), document) from error


def _with_names(error: SettingsError) -> SettingsError:
    """Return the error of a missing key with where the names that it may take are listed."""
    if error.where in _NAMED and error.got == "nothing":
        error.fix = f"add '{error.where}: NAME'; `glassbench plugins list --kind {error.where}` lists the names"
    return error


def _audits_of(listed: list[Any]) -> Any:
    """Return a list of audits, names or `{use: name, ...settings}`, by name; else the list itself."""
    used = [{"use": audit} if isinstance(audit, str) else audit for audit in listed]
    if not all(isinstance(audit, Mapping) and isinstance(audit.get("use"), str) for audit in used):
        return listed
    names = [audit["use"] for audit in used]
    if len(set(names)) < len(names):
        return listed
    return {audit["use"]: {key: value for key, value in audit.items() if key != "use"} for audit in used}


def read_experiment(source: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> Document:
    """Read an experiment from a file or take it as a mapping, and apply overrides."""
    document = Document(dict(source)) if isinstance(source, Mapping) else read_document(Path(source))
    return override(document, overrides)


def located(error: SettingsError, document: Document) -> ExperimentError:
    """Return the error with its dotted path turned into file, line and path."""
    return type(error)(
        error.problem,
        got=error.got,
        available=error.available,
        fix=error.fix,
        where=document.where(error.where or ""),
    )
