"""What a run knows of itself, in the words of a document."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glassbench.contracts.evidence import AuditResult, Measure
from glassbench.contracts.subject import Subject

NOT_PROVIDED = "Not provided."

MOST = 12
"""The most findings in a list; the others are in the report."""


class Known:
    """A run's facts, ready to be written down; what it does not know is None.

    Args:
        subject: What was examined, with the other audits' results and the run's record.
    """

    def __init__(self, subject: Subject) -> None:
        self._experiment: Mapping[str, Any] = subject.record.get("experiment", {})
        self._provenance: Mapping[str, Any] = subject.record.get("provenance", {})
        self._data: Mapping[str, Any] = subject.record.get("data", {})
        self.subject = subject

    @property
    def name(self) -> str:
        """The experiment's name."""
        return str(self._experiment.get("name", "model"))

    @property
    def run(self) -> str:
        """The run's id and date."""
        return f"run {self._provenance.get('run', 'unknown')}, {self._provenance.get('created', 'date unknown')}"

    @property
    def model(self) -> str | None:
        """The model and its settings."""
        return _component(self._experiment.get("model"))

    @property
    def trainer(self) -> str | None:
        """The trainer and its settings."""
        return _component(self._experiment.get("trainer"))

    @property
    def task(self) -> str:
        """The task's own name."""
        return str((self._experiment.get("task") or {}).get("use", "")).rpartition("/")[2]

    @property
    def dataset(self) -> str:
        """The data set's own name."""
        return str((self._experiment.get("dataset") or {}).get("use", "")).rpartition("/")[2]

    def said(self, key: str) -> str | None:
        """Return what the experiment says under a key of `about`, such as `purpose`; None where it says nothing."""
        found = (self._experiment.get("about") or {}).get(key)
        return "; ".join(map(str, found)) if isinstance(found, list | tuple) else found and str(found)

    @property
    def target(self) -> str:
        """What is predicted."""
        target = self.subject.schema.target
        number = {"labels": "any number of", "ranking": "the best of"}.get(target.kind, "one of")
        classes = f", {number} {', '.join(target.classes[:20])}" if target.classes else ""
        unit = f", in {target.unit}" if target.unit else ""
        return f"{target.name}{classes}{unit}"

    @property
    def inputs(self) -> str | None:
        """What the model reads."""
        names = [feature.name for feature in self.subject.schema.features]
        rest = f" and {len(names) - 40} more" if len(names) > 40 else ""
        return f"{', '.join(names[:40])}{rest}" if names else None

    @property
    def data(self) -> str:
        """Source, sizes and what was done to the rows."""
        sizes = ", ".join(f"{count:,} {split}" for split, count in self._data.get("rows", {}).items() if count)
        notes = " ".join(_sentence(note) for note in self._data.get("notes", []))
        source = self._data.get("source") or self.dataset
        return f"{source} ({sizes} {self.subject.schema.unit}s). {notes}".strip()

    @property
    def fingerprint(self) -> str | None:
        """The checksum of the data."""
        found = self._data.get("fingerprint")
        return f"SHA-256 {found}" if found else None

    @property
    def training(self) -> str | None:
        """What the trainer says of the training."""
        facts = self.subject.facts
        return "; ".join(f"{key.replace('_', ' ')}: {value}" for key, value in facts.items()) or None

    @property
    def versions(self) -> str | None:
        """Versions of what the run was made with."""
        own = {name: self._provenance[name] for name in ("glassbench", "python") if name in self._provenance}
        found = {**own, **self._provenance.get("packages", {})}
        return ", ".join(f"{name} {version}" for name, version in found.items()) or None

    @property
    def hardware(self) -> str | None:
        """What the run was made on."""
        found = self._provenance.get("hardware", {})
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.items() if value is not None) or None

    @property
    def code(self) -> str | None:
        """The commit the run was made from."""
        commit = self._provenance.get("code", {}).get("commit")
        return f"commit {commit}" if commit else None

    def result(self, audit: str) -> AuditResult | None:
        """Return what an audit found, or None where it found nothing."""
        found = [r for r in self.subject.results if r.audit == audit and not r.error and not r.not_applicable]
        return found[0] if found else None

    def sentences(self, *grades: str) -> list[str]:
        """Return the weightiest findings of all audits with one of the verdicts."""
        found = [finding for result in self.subject.results for finding in result.findings if finding.grade in grades]
        return [finding.sentence for finding in sorted(found, key=lambda finding: -finding.weight)[:MOST]]

    def omitted(self) -> list[str]:
        """Return what was not audited, and why."""
        return [f"{r.audit}: {r.error or r.not_applicable}" for r in self.subject.results if r.error or r.not_applicable]

    def cautions(self) -> list[str]:
        """Return what the audits say they cannot tell."""
        return list(dict.fromkeys(caution for result in self.subject.results for caution in result.method.cautions))

    def metrics(self) -> Iterator[tuple[str, Measure]]:
        """Yield each metric of the task as it was measured on all rows, with its plain name, the headline first."""
        measured = {m.name: m for r in self.subject.results for m in r.measures if m.by is None and m.group is None}
        for metric in self.subject.task.metrics:
            found = [m for name, m in measured.items() if name.partition(".")[2] == metric.name and m.value is not None]
            if found:
                yield metric.name, found[0]


def figure(measure: Measure) -> str:
    """Return a measure as a document writes it: value, interval, rows."""
    if measure.value is None:
        return f"undefined: {measure.undefined}"
    unit = f" {measure.unit}" if measure.unit else ""
    ends = "" if measure.low is None or measure.high is None else f" [{measure.low:.4g}, {measure.high:.4g}]"
    return f"{measure.value:.4g}{unit}{ends}{f', n {measure.n:,}' if measure.n else ''}"


def filled(audit: str, parts: Sequence[tuple[str, str | None]]) -> Measure:
    """Return the share of a document's parts that the run could fill in."""
    known = sum(text is not None for _, text in parts)
    return Measure(name=f"{audit}.filled", value=known / len(parts), n=len(parts), higher_is_better=True)


def _component(content: Mapping[str, Any] | None) -> str | None:
    if not content:
        return None
    settings = "; ".join(f"{key}: {value}" for key, value in content.items() if key != "use" and value is not None)
    name = str(content.get("use", "")).rpartition("/")[2]
    return f"{name} ({settings})" if settings else name


def _sentence(note: object) -> str:
    text = str(note).strip()
    return text if text.endswith(".") else f"{text}."
