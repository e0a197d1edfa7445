"""The audit of counterfactuals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from glassbench.contracts.evidence import AuditResult, Method
from glassbench.contracts.subject import Subject
from glassbench.errors import SettingsError
from glassbench.stats.clusters import one_of_each
from glassbench.stats.settings_types import Count, CountOrZero, Level, Replicates
from glassbench_audits.attribution.cases import Chosen, choose_cases
from glassbench_audits.counterfactuals import exhibits
from glassbench_audits.counterfactuals.asking import Answers, ask, flat
from glassbench_audits.counterfactuals.options import Options, options_of
from glassbench_audits.counterfactuals.search import BEAM, Change, search


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The audit's settings, as `audit` documents them."""

    rows: int
    changes: int
    immutable: tuple[str, ...]
    towards: str | None
    cases: int
    replicates: int
    level: float

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        for name, least in {"rows": 1, "changes": 1, "cases": 0, "replicates": 1}.items():
            value = getattr(self, name)
            if value < least:
                raise SettingsError(f"{name} must be at least {least}", got=str(value), where=f"audits.counterfactuals.{name}")
        if not 0 < self.level < 1:
            raise SettingsError("level must lie between 0 and 1", got=str(self.level), where="audits.counterfactuals.level")


@dataclass(frozen=True, eq=False, kw_only=True)
class Sought:
    """Held-out rows whose decision was to be flipped, and what was found.

    Args:
        positions: Positions of the rows behind the figures `(n,)`.
        cases: Rows shown in full.
        changes: What flips each row, by position; rows that nothing was found for are absent.
        options: What each input that may change could be.
    """

    positions: np.ndarray
    cases: tuple[Chosen, ...]
    changes: dict[int, Change]
    options: tuple[Options, ...]


def audit(
    subject: Subject,
    *,
    rows: Count = 40,
    changes: Count = 3,
    immutable: list[str] | None = None,
    towards: str | None = None,
    cases: CountOrZero = 2,
    replicates: Replicates = 1000,
    level: Level = 0.95,
) -> AuditResult:
    """Find the nearest change that would flip decisions.

    Args:
        rows: Held-out rows behind the figures; of rows that hang together, one of each cluster.
        changes: Most inputs changed together.
        immutable: Inputs that cannot change; by default the sensitive ones.
        towards: The decision sought; by default any other than the row's own.
        cases: Decisions of each kind (most certain, least certain, wrong) shown in full.
        replicates: Resamples of rows behind each interval.
        level: Confidence level of the intervals.
    """
    fixed = tuple(subject.schema.sensitive if immutable is None else immutable)
    settings = Settings(
        rows=rows, changes=changes, immutable=fixed, towards=towards, cases=cases, replicates=replicates, level=level
    )
    reason = subject.missing(("model", "predictions", "training data")) or flat(subject)
    if reason:
        return _not_applicable(reason)
    _check_names(subject, immutable, towards)
    assert subject.train is not None
    options = options_of(subject.schema.features, subject.train, fixed)
    if not options:
        return _not_applicable("no input may change")
    sought = _sought(subject, settings, options)
    if not len(sought.positions):
        return _not_applicable(f"every row is predicted '{towards}' already")
    return AuditResult(
        measures=exhibits.measures(subject, sought.positions, sought.changes, settings.replicates, settings.level),
        findings=exhibits.findings(sought.positions, sought.changes, options, settings.changes, settings.level),
        tables=exhibits.tables(subject, sought.positions, sought.changes, options),
        cases=_cases(subject, sought, towards),
        method=_method(settings, options, len(sought.positions)),
    )


def _check_names(subject: Subject, immutable: Sequence[str] | None, towards: str | None) -> None:
    names = [feature.name for feature in subject.schema.features]
    unknown = [name for name in immutable or () if name not in (*names, *subject.schema.sensitive)]
    if unknown:
        where = "audits.counterfactuals.immutable"
        raise SettingsError("there is no such input", got=", ".join(unknown), available=names, where=where)
    classes = list(subject.schema.target.classes)
    if towards is not None and towards not in classes:
        where = "audits.counterfactuals.towards"
        raise SettingsError("there is no such decision", got=towards, available=classes, where=where)


def _sought(subject: Subject, settings: Settings, options: tuple[Options, ...]) -> Sought:
    decided = subject.predictions.frame["y_pred"].astype(str).to_numpy()
    clusters = subject.predictions.clusters
    eligible = np.flatnonzero(decided != settings.towards)
    if clusters is not None:
        eligible = eligible[one_of_each(clusters[eligible], subject.generator("counterfactuals.clusters"))]
    order = subject.generator("counterfactuals.rows").permutation(len(eligible))
    positions = np.sort(eligible[order[: settings.rows]])
    cases = tuple(case for case in choose_cases(subject, settings.cases) if decided[case.position] != settings.towards)
    everything = np.unique(np.concatenate([positions, [case.position for case in cases]]).astype(np.int64))
    source = subject.predictions.source
    assert source is not None
    inputs = source.batch(torch.as_tensor(everything)).inputs[0]

    def answer(changed: torch.Tensor, rows: np.ndarray) -> Answers:
        return ask(subject, changed, everything[rows], settings.towards)

    found = search(answer, inputs, options, most=settings.changes) if len(everything) else {}
    changes = {int(everything[row]): change for row, change in found.items()}
    fine = tuple(one.some(exhibits.FINE) for one in options)
    return Sought(positions=positions, cases=cases, changes=changes, options=fine)


def _cases(subject: Subject, sought: Sought, towards: str | None) -> tuple[exhibits.Case, ...]:
    return tuple(
        exhibits.case(subject, chosen, sought.changes.get(chosen.position), sought.options, towards) for chosen in sought.cases
    )


def _method(settings: Settings, options: Sequence[Options], n: int) -> Method:
    return Method(
        summary=f"For {n} held-out rows, values that training rows have are put in place of the row's own, one input at a time, "
        f"then two, up to {settings.changes}, until the decision is another; of the changes of the fewest inputs the nearest one "
        "found is kept. Distance adds up the changes of numbers in standard deviations, and 1 for each category.",
        parameters={
            "rows": n,
            "changes": settings.changes,
            "immutable": list(settings.immutable),
            "mutable": [one.feature.name for one in options],
            "towards": settings.towards,
            "beam": BEAM,
            "replicates": settings.replicates,
            "level": settings.level,
        },
        references=(
            "Wachter, Mittelstadt, Russell (2018), Counterfactual explanations without opening the black box",
            "Ustun, Spangher, Liu (2019), Actionable recourse in linear classification",
        ),
        cautions=(
            "It says what the model would decide, not what would happen: changing an input need not change the person's outcome.",
            "Beyond one input the search is not exhaustive: a nearer change may exist.",
            "Each value is one that some training row has, their combination need not be.",
        ),
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Nearest changes that flip decisions."), not_applicable=reason)
