"""A model card in the Hugging Face format."""

import math
from typing import Any

import yaml

from glassbench.contracts.evidence import AuditResult, Method, TextFile
from glassbench.contracts.exhibits import Table
from glassbench.contracts.measure_words import measure_words
from glassbench.contracts.subject import Subject
from glassbench.printable import one_line
from glassbench_audits.documents.known import NOT_PROVIDED, Known, figure, filled
from glassbench_audits.documents.markdown import escaped, listed, table

FILE = "model_card.md"

Part = tuple[str, str | None]

_KINDS = {
    ("table", "classes"): "tabular-classification",
    ("table", "values"): "tabular-regression",
    ("image", "classes"): "image-classification",
    ("text", "classes"): "text-classification",
    ("text", "tokens"): "text-generation",
    ("text", "answers"): "translation",
    ("audio", "classes"): "audio-classification",
    ("series", "values"): "time-series-forecasting",
    ("observation", "actions"): "reinforcement-learning",
}


def audit(
    subject: Subject, *, license: str | None = None, intended_use: str | None = None, contact: str | None = None
) -> AuditResult:
    """Write a model card: the figures from the run, the person's words where there are any, and a plain gap elsewhere.

    Args:
        subject: What was examined.
        license: The model's licence, an identifier as the Hugging Face Hub knows it.
        intended_use: What the model is meant for, in the person's own words; without it, the experiment's `about.purpose`.
        contact: Who answers for it; without it, the experiment's `about.owner` and `about.contacts`.
    """
    if not subject.results:
        return AuditResult(method=_method(), not_applicable="no other audit found anything")
    known = Known(subject)
    parts = _parts(known, license=license, intended_use=intended_use, contact=contact)
    card = f"---\n{_metadata(known, license)}---\n\n# Model card for {escaped(known.name)}\n\n{_body(parts)}"
    rows = tuple((heading.lstrip("# "), "filled in" if text is not None else "not provided") for heading, text in parts)
    return AuditResult(
        measures=(filled("model-card", parts),),
        tables=(
            Table(title="The model card", columns=("section", "state"), rows=rows, note=f"The card is audits/model-card/{FILE}."),
        ),
        files=(TextFile(name=FILE, text=card),),
        method=_method(),
    )


def _parts(known: Known, *, license: str | None, intended_use: str | None, contact: str | None) -> list[Part]:
    schema = known.subject.schema
    limits = [text for text in (known.said("limits"),) if text]
    described = f"Predicts {known.target} for each {schema.unit}. Made in {known.run}."
    return [
        ("## Model Details", None if known.model is None else _line(f"Model: {known.model}")),
        ("### Model Description", _line(described)),
        ("### Developed by", _line(contact or known.said("owner"))),
        ("### License", _line(license)),
        ("## Uses", _line(intended_use or known.said("purpose"))),
        ("## Bias, Risks, and Limitations", listed([*limits, *known.sentences("concern", "unclear"), *known.cautions()])),
        ("## Training Details", None if known.trainer is None else _line(f"Trainer: {known.trainer}")),
        ("### Training Data", _line(known.data)),
        ("### Training Procedure", _line(known.training)),
        ("## Evaluation", _line(f"On rows that the model has not seen: {known.data}")),
        ("### Factors", _line(", ".join(schema.sensitive) or None)),
        (
            "### Metrics",
            table(("metric", "value and 95 % interval"), ((measure_words(n), figure(m)) for n, m in known.metrics())),
        ),
        ("### Results", listed(known.sentences("ok", "concern", "unclear"))),
        ("### Not examined", listed(known.omitted())),
        ("## Model Examination", listed(f"{r.audit}: {r.reliability}" for r in known.subject.results if r.reliability)),
        ("## Environmental Impact", _energy(known)),
        ("## Technical Specifications", _line("; ".join(t for t in (known.hardware, known.versions, known.code) if t) or None)),
        ("## Model Card Contact", _line(contact or known.said("contacts"))),
    ]


def _body(parts: list[Part]) -> str:
    return "\n\n".join(f"{heading}\n\n{NOT_PROVIDED if text is None else text}" for heading, text in parts) + "\n"


def _line(text: str | None) -> str | None:
    return None if text is None else escaped(text)


def _energy(known: Known) -> str | None:
    """Return what any audit measured of energy and emissions."""
    found = [m for r in known.subject.results for m in r.measures if m.value is not None and m.group is None]
    return listed(f"{m.name}: {figure(m)}" for m in found if any(word in m.name for word in ("energy", "co2", "emissions")))


def _metadata(known: Known, license: str | None) -> str:
    """Return the card's YAML; the hub reads figures from `model-index`."""
    kind = _KINDS.get((known.subject.schema.modality, known.subject.kind.name), "other")
    content: dict[str, Any] = {"tags": ["glassbench"], "pipeline_tag": kind}
    if license:
        content["license"] = license
    metrics = [{"type": name, "name": measure_words(name), "value": round(m.value or 0.0, 6)} for name, m in known.metrics()]
    if metrics:
        result = {
            "task": {"type": kind},
            "dataset": {"type": known.dataset or "unknown", "name": known.dataset or "unknown"},
            "metrics": metrics,
        }
        content["model-index"] = [{"name": one_line(known.name), "results": [result]}]
    # One line per text: a name must not hold a line that ends the front matter.
    return yaml.safe_dump(content, sort_keys=False, width=math.inf)


def _method() -> Method:
    return Method(
        summary="The figures, findings and cautions of this run's audits were written under the headings of a model card.",
        references=(
            "Mitchell et al. (2019): Model cards for model reporting",
            "Hugging Face Hub: model cards and their metadata, model-index",
        ),
        cautions=(
            "A card says what was measured and what its author adds; what nobody provided reads “Not provided.” Intended use, "
            "licence and risks outside these figures are for people to write.",
        ),
    )
