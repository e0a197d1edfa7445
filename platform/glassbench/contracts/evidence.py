"""What an audit returns: measures, findings, tables and charts."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pandas as pd

from glassbench.contracts.exhibits import Case, Chart, Part, Picture, Table, Token
from glassbench.contracts.question import Question
from glassbench.contracts.result_display import measures_frame, result_html
from glassbench.printable import printable_parts
from glassbench.stats.estimate import Estimate
from glassbench.stats.grade import GRAVITY, Grade

if TYPE_CHECKING:
    from altair import LayerChart

SCHEMA_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number an audit found.

    Args:
        name: `<audit>.<measure>`.
        value: The point value; None exactly when `undefined` says why.
        low, high: Ends of the interval, or None when the number carries none.
        level: Confidence level of the interval.
        n: Rows it rests on; for a rate, its denominator.
        by: Sensitive features it is broken down by, or None for all rows.
        group: The group it speaks of, `{feature: value}`, or None for all rows and for gaps between groups.
        unit: Unit of the value; None for a proportion or a pure number.
        higher_is_better: None where neither direction is.
        undefined: Why there is no value, or None.
        unsupported: Why the value carries no interval and no verdict may be based on it (too few events), or None.
        not_judged: Why a gate gives no verdict on the value, or None: nobody says which direction is good, or the rows behind it
            are a selected part.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    n: int | None = None
    by: tuple[str, ...] | None = None
    group: Mapping[str, str] | None = None
    unit: str | None = None
    higher_is_better: bool | None = None
    undefined: str | None = None
    unsupported: str | None = None
    not_judged: str | None = None

    @classmethod
    def of(
        cls,
        name: str,
        estimate: Estimate,
        *,
        by: tuple[str, ...] | None = None,
        group: Mapping[str, str] | None = None,
        unit: str | None = None,
        higher_is_better: bool | None = None,
    ) -> "Measure":
        """Name an estimate, and say what it is of."""
        return cls(
            name=name,
            value=estimate.value,
            low=estimate.low,
            high=estimate.high,
            level=estimate.level,
            n=estimate.n,
            by=by,
            group=group,
            unit=unit,
            higher_is_better=higher_is_better,
            undefined=estimate.undefined,
            unsupported=estimate.unsupported,
        )

    def __post_init__(self) -> None:
        """Refuse a measure that neither has a value nor says why, and numbers that are none."""
        if (self.value is None) == (self.undefined is None):
            raise ValueError(f"measure {self.name}: give a value, or say why it is undefined, not both")
        value, low, high = (0.0 if number is None else number for number in (self.value, self.low, self.high))
        if not math.isfinite(value + low + high) and not all(map(math.isfinite, (value, low, high))):
            numbers = [number for number in (self.value, self.low, self.high) if number is not None]
            raise ValueError(f"measure {self.name}: {numbers} holds what is no number; say why it is undefined instead")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"measure {self.name}: the interval [{self.low}, {self.high}] is upside down")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One sentence a person can act on.

    Args:
        sentence: Plain words with the figures in them.
        grade: What it means for the reader: ok, a concern, unclear, or not applicable.
        measures: Names of the measures behind it.
        weight: How much it matters beside other findings, 0 to 1; the report shows the weightiest first.
        group: The group those measures are of, `{feature: value}`; None for all rows and for gaps.
        by: The features whose groups those measures compare (`Measure.by`); None where that does not tell them apart.
        between: Those groups of `by` that the sentence names, the one with the highest number first; its picture shows them by
            the measures of groups among `measures`. Empty where it names none.
        chart: Title of the chart or the picture that shows it, or None.
        next_step: What to do about it, a short sentence in the imperative; empty where nothing follows.
        answers: The question of a committee that the sentence answers (`AuditSpec.answers`); None where it answers none, as one
            about how far another can be trusted. A report's first screen puts such findings under their question.
    """

    sentence: str
    grade: Grade
    measures: tuple[str, ...] = ()
    weight: float = 0.5
    group: Mapping[str, str] | None = None
    by: tuple[str, ...] | None = None
    between: tuple[Mapping[str, str], ...] = ()
    chart: str | None = None
    next_step: str = ""
    answers: Question | None = None


@dataclass(frozen=True, kw_only=True)
class Method:
    """How an audit measured.

    Args:
        summary: What was done, in plain sentences.
        parameters: Settings, baseline, seed, sample sizes: JSON values.
        references: Papers and libraries the method comes from.
        cautions: What it cannot tell.
    """

    summary: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TextFile:
    """A text that an audit leaves beside its result, in `audits/<name>/`.

    Args:
        name: The file's name, without a folder.
        text: What it holds; None where the result was read again.

    Raises:
        ValueError: The name leads elsewhere.
    """

    name: str
    text: str | None = None

    def __post_init__(self) -> None:
        """Refuse names that lead out of the audit's folder or over its result."""
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", self.name) or self.name.lower() == "result.json":
            raise ValueError(f"'{self.name}' is no name of a file beside a result")


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """Everything one audit found.

    Args:
        audit: The audit's name in the experiment; the platform sets it.
        findings, measures, tables, charts, pictures, cases: The evidence.
        files: Texts to keep beside the result.
        method: How it was measured.
        reliability: A word readers must see before any picture ("reliable", "use with care", "do not rely"), or None.
        reliability_note: What stands beside the reliability grade, such as the test that speaks most against it, or None.
        not_applicable: Why the audit could not examine this subject, or None.
        error: What went wrong inside the audit, or None; an audit that failed cannot pass a gate.
        seconds: Wall time.
    """

    method: Method
    audit: str = ""
    findings: tuple[Finding, ...] = ()
    measures: tuple[Measure, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    pictures: tuple[Picture, ...] = ()
    cases: tuple[Case, ...] = ()
    files: tuple[TextFile, ...] = ()
    reliability: str | None = None
    reliability_note: str | None = None
    not_applicable: str | None = None
    error: str | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Make every text printable: names come from data, and evidence goes into pages, charts, XML and terminals."""
        for field_ in fields(self):
            object.__setattr__(self, field_.name, printable_parts(getattr(self, field_.name)))

    @property
    def grade(self) -> Grade:
        """The worst grade among the findings; of an audit that failed it is unclear."""
        if self.error is not None:
            return "unclear"
        return max((finding.grade for finding in self.findings), key=GRAVITY.__getitem__, default="not applicable")

    def to_frame(self) -> pd.DataFrame:
        """Return every measure as a row: name, features and group, value with its interval, and why there is none."""
        return measures_frame(self.measures)

    def plot(self, measure: str, by: str | Sequence[str] | None = None) -> "LayerChart":
        """Return an Altair chart of one of its measures with intervals.

        Args:
            measure: The measure, with or without the audit's name: `false_negative_rate`.
            by: Features whose groups are shown; None for every group, or where there is none for all rows and gaps.

        Raises:
            GlassbenchError: The audit holds no such measure, or not by these features.
        """
        charts = import_module("glassbench.contracts.measures_chart")  # Altair takes a second to load: not with every command
        drawn: LayerChart = charts.measures_chart(self.measures, measure, by)
        return drawn

    def _repr_html_(self) -> str:
        """Its grade, the gravest findings and measures over all rows, for notebooks."""
        return result_html(self)

    def to_json(self) -> dict[str, Any]:
        """Return the result as the plain JSON values of `result.json`."""
        names = [file.name for file in self.files]
        return {"schema_version": SCHEMA_VERSION, "grade": self.grade, **asdict(self), "files": names}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "AuditResult":
        """Rebuild a result from `to_json`."""
        return cls(
            audit=content["audit"],
            findings=tuple(_finding(f) for f in content["findings"]),
            measures=tuple(measure_from_json(m) for m in content["measures"]),
            tables=tuple(
                Table(**{**t, "columns": tuple(t["columns"]), "rows": tuple(tuple(r) for r in t["rows"])})
                for t in content["tables"]
            ),
            charts=tuple(_chart(c) for c in content["charts"]),
            pictures=tuple(Picture(**p) for p in content["pictures"]),
            cases=tuple(_case(c) for c in content["cases"]),
            files=tuple(TextFile(name=name) for name in content.get("files", ())),
            method=_method(content["method"]),
            **{key: content[key] for key in ("reliability", "not_applicable", "error", "seconds")},
            reliability_note=content.get("reliability_note"),
        )


def measure_from_json(content: Mapping[str, Any]) -> Measure:
    """Rebuild a measure from its JSON."""
    by = content["by"]
    return Measure(**{**content, "by": None if by is None else tuple(by)})


def _finding(content: Mapping[str, Any]) -> Finding:
    by, between = content.get("by"), content.get("between", ())
    lists = {"measures": tuple(content["measures"]), "by": None if by is None else tuple(by), "between": tuple(between)}
    return Finding(**{**content, **lists})


def _chart(content: Mapping[str, Any]) -> Chart:
    reference = content["reference"]
    if isinstance(reference, list):
        reference = (reference[0] if reference[0] == "diagonal" else float(reference[0]), str(reference[1]))
    return Chart(**{**content, "rows": tuple(content["rows"]), "reference": reference})


def _case(content: Mapping[str, Any]) -> Case:
    shown = {
        "parts": tuple(Part(**part) for part in content["parts"]),
        "tokens": tuple(Token(**token) for token in content["tokens"]),
        "pictures": tuple(Picture(**picture) for picture in content["pictures"]),
        "charts": tuple(_chart(chart) for chart in content["charts"]),
    }
    return Case(**{**content, **shown})


def _method(content: Mapping[str, Any]) -> Method:
    lists = {key: tuple(content[key]) for key in ("references", "cautions")}
    return Method(**{**content, **lists})
