"""The electricity of training and of decisions."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import Measure
from glassbench.system.energy import ABSENT, Energy, available, metered
from glassbench_audits.efficiency.clock import Timing, batch_of

THOUSAND = 1000


def inference_energy(model: nn.Module, source: Split, timing: Timing, seconds: float, country: str | None) -> tuple[Energy, int]:
    """Decide rows for about so many seconds; return the electricity that took, and how many rows were decided."""
    passes = max(1, math.ceil(seconds / max(timing.percentile(0.5), 1e-9)))
    inputs = batch_of(source, timing.rows, model)
    with metered(country) as meter, torch.inference_mode():
        for _ in range(passes if available() else 0):
            model(*inputs)
    return meter.energy, passes * timing.rows


def training_energy(facts: Mapping[str, Any]) -> Energy:
    """Return what the trainer's facts say of the electricity of the training."""
    known = facts.get("energy")
    if isinstance(known, Mapping):
        return Energy(**known)
    return Energy(method="it was not measured while training; " + (ABSENT if not available() else "train again to measure it"))


def energy_measures(training: Energy, inference: Energy, rows: int, country: str | None) -> Iterator[Measure]:
    """Yield electricity and CO2 of the training, and of a thousand decisions."""
    nowhere = "no country is named, so its CO2 is not known (audits.efficiency.country)"
    intensity = None
    if inference.kilograms is not None and inference.kilowatt_hours:
        intensity = inference.kilograms / inference.kilowatt_hours
    trained = None if training.kilowatt_hours is None or intensity is None else training.kilowatt_hours * intensity
    each = THOUSAND / rows
    decided = None if inference.kilowatt_hours is None else inference.kilowatt_hours * each
    emitted = None if inference.kilograms is None else inference.kilograms * each
    yield _measure("training_energy", training.kilowatt_hours, "kWh", training.method)
    yield _measure("training_co2", trained, "kg", nowhere if country is None else training.method)
    yield _measure("inference_energy", decided, "kWh per 1,000 rows", inference.method)
    yield _measure("inference_co2", emitted, "kg per 1,000 rows", nowhere if country is None else inference.method)


def _measure(name: str, value: float | None, unit: str, reason: str) -> Measure:
    undefined = None if value is not None else f"not measured: {reason}"
    return Measure(name=f"efficiency.{name}", value=value, unit=unit, undefined=undefined, higher_is_better=False)
