"""A CycloneDX ML-BOM: the model with its performance by slice and its fairness, the packages it was made with, and the data."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from glassbench.contracts.evidence import AuditResult, Finding, Measure
from glassbench.contracts.schema import Schema

_NAMESPACE = uuid.UUID("2b8c2a6e-7c0e-5b0e-9d0e-6c61737362ee")
_SUPERVISED = ("class", "labels", "value", "sequence", "mask", "boxes", "ranking")
_SELF_SUPERVISED = ("token",)


def ml_bom(
    name: str, schema: Schema, results: Sequence[AuditResult], provenance: Mapping[str, Any], data: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the bill of materials as JSON values, CycloneDX 1.6.

    Args:
        name: What the experiment is called.
        schema: What rows are.
        results: What the audits found.
        provenance: Where the run's numbers come from.
        data: What the run's data are.
    """
    run = str(provenance["run"])
    model = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": name,
        "version": run,
        "modelCard": {
            "modelParameters": {
                "approach": {"type": _approach(schema)},
                "task": f"{schema.modality} {schema.target.kind}",
                "datasets": [{"ref": "data"}],
                "inputs": [{"format": schema.modality}],
                "outputs": [{"format": schema.target.kind}],
            },
            "quantitativeAnalysis": {
                "performanceMetrics": [_metric(m) for r in results for m in r.measures if m.value is not None]
            },
            "considerations": _considerations(results),
        },
    }
    described = {
        "type": "data",
        "bom-ref": "data",
        "name": f"data of {name}",
        "version": str(data.get("fingerprint", "unknown"))[:64],
        "data": [{"type": "dataset", "name": f"data of {name}", "description": _rows(data)}],
    }
    packages = [_package(*pair) for pair in sorted(dict(provenance.get("packages", {})).items())]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, run)}",
        "version": 1,
        "metadata": {
            "timestamp": str(provenance["created"]),
            "component": model,
            "tools": {"components": [{"type": "application", "name": "glassbench", "version": str(provenance["glassbench"])}]},
        },
        "components": [described, *packages],
        "dependencies": [{"ref": "model", "dependsOn": sorted({"data", *(one["bom-ref"] for one in packages)})}],
    }


def _approach(schema: Schema) -> str:
    if schema.modality == "observation":
        return "reinforcement-learning"
    if schema.target.kind in _SELF_SUPERVISED:
        return "self-supervised"
    return "supervised" if schema.target.kind in _SUPERVISED else "unsupervised"


def _metric(measure: Measure) -> dict[str, Any]:
    found: dict[str, Any] = {"type": measure.name, "value": repr(float(measure.value or 0.0))}
    if measure.group:
        found["slice"] = ", ".join(f"{feature}={name}" for feature, name in measure.group.items())
    elif measure.by:
        found["slice"] = f"between groups of {' and '.join(measure.by)}"
    if measure.low is not None and measure.high is not None:
        found["confidenceInterval"] = {"lowerBound": repr(float(measure.low)), "upperBound": repr(float(measure.high))}
    return found


def _considerations(results: Sequence[AuditResult]) -> dict[str, Any]:
    """Return findings: those whose measures compare groups as fairness assessments, other concerns as limitations."""
    compared = {m.name: m.by for r in results for m in r.measures if m.by}
    assessed, limits = [], []
    for result in results:
        for finding in result.findings:
            features = next((compared[name] for name in finding.measures if name in compared), None)
            if features is not None:
                assessed.append(_assessment(finding, features))
            elif finding.grade in ("concern", "unclear"):
                limits.append(finding.sentence)
    return {"technicalLimitations": limits, "fairnessAssessments": assessed}


def _assessment(finding: Finding, features: Sequence[str]) -> dict[str, str]:
    at_risk = (
        ", ".join(f"{f} {name}" for f, name in finding.group.items()) if finding.group else f"groups of {' and '.join(features)}"
    )
    where = "harms" if finding.grade in ("concern", "unclear") else "benefits"
    found = {"groupAtRisk": at_risk, where: finding.sentence}
    return {**found, "mitigationStrategy": finding.next_step} if finding.next_step else found


def _package(name: str, version: Any) -> dict[str, Any]:
    ref = f"pkg:pypi/{name.lower()}@{version}"
    return {"type": "library", "bom-ref": ref, "name": name, "version": str(version), "purl": ref}


def _rows(data: Mapping[str, Any]) -> str:
    rows = data.get("rows")
    return (
        ", ".join(f"{count:,} {part} rows" for part, count in rows.items())
        if isinstance(rows, dict)
        else "rows are not described"
    )
