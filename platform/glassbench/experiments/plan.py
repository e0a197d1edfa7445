"""What a run will do, in full."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from glassbench.contracts.specs import DatasetSpec
from glassbench.experiments.about import About
from glassbench.experiments.choice import Choice
from glassbench.experiments.cleaning import Cleaning
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.gates import Gate
from glassbench.experiments.mitigations import Mitigations


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run will do.

    Args:
        name, about, seed, gates, budget, allow_failed: As the experiment says.
        training_share: Share of the training rows to learn from.
        dataset, task: The components chosen.
        model, trainer: Likewise; None where the task is not learnt, no trainer where the model is external.
        audits: Audits by the name they go by in this run.
        excluded: Audits that cannot run on such a model, and why.
        cleaning: Which rows of the data are dropped or relabelled; None changes nothing.
        mitigations: What changes how the run learns or decides, in order.
        trackers: Trackers that the experiment names.
        document: The experiment as written.
        complaints: A line for each plugin that could not be asked whether the experiment may run.
    """

    name: str
    seed: int
    gates: tuple[Gate, ...]
    dataset: Choice
    task: Choice
    model: Choice | None
    trainer: Choice | None
    audits: Mapping[str, Choice]
    excluded: Mapping[str, str]
    document: Document
    cleaning: Cleaning | None = None
    mitigations: Mitigations = field(default_factory=Mitigations)
    trackers: tuple[Choice, ...] = ()
    budget: float | None = None
    allow_failed: bool = False
    training_share: float = 1.0
    about: About = field(default_factory=About)
    complaints: tuple[str, ...] = ()

    @property
    def external(self) -> bool:
        """Whether rows and model are external: given from Python."""
        return cast(DatasetSpec, self.dataset.component.spec).external

    @property
    def table_setting(self) -> str | None:
        """The data set's setting that names the file of its table, or None."""
        return cast(DatasetSpec, self.dataset.component.spec).table_setting

    @property
    def resolved(self) -> dict[str, Any]:
        """The content of `resolved.yaml`: every setting in full; itself an experiment, but for `overrides`."""
        chosen = {role: getattr(self, role) for role in ("dataset", "task", "model", "trainer")}
        roles = {role: choice.resolved for role, choice in chosen.items() if choice is not None}
        audits = {choice.component.canonical: choice.settings.model_dump(mode="json") for choice in self.audits.values()}
        gates = [gate.model_dump(mode="json") for gate in self.gates]
        timed = {} if self.budget is None else {"budget": self.budget}
        timed |= {"allow_failed": True} if self.allow_failed else {}
        timed |= {"training_share": self.training_share} if self.training_share < 1 else {}
        mended = {"mitigations": [one.resolved for one in self.mitigations.choices]} if self.mitigations.choices else {}
        followed = {"trackers": [tracker.resolved for tracker in self.trackers]} if self.trackers else {}
        about = {"about": self.about.content} if self.about.content else {}
        cleaned = {} if self.cleaning is None else {"cleaning": {"file": self.cleaning.name, "version": self.cleaning.version}}
        content = {"name": self.name, **about, "seed": self.seed, **roles, **cleaned, **mended, "audits": audits, **timed}
        content |= {"gates": gates, **followed}
        return {**content, "overrides": list(self.document.overrides)}
