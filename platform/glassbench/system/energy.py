"""How much electricity something took, through CodeCarbon where it is installed; what was not measured says so."""

import importlib
import importlib.util
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from glassbench.errors import said

ABSENT = "CodeCarbon is not installed (pip install codecarbon)"


@dataclass(frozen=True, kw_only=True)
class Energy:
    """Electricity and what it emitted.

    Args:
        kilowatt_hours: The electricity, or None where it was not measured.
        kilograms: Its CO2 equivalent, or None where the country is not known.
        seconds: How long was measured.
        method: How it was measured, part by part, or why it was not.
    """

    kilowatt_hours: float | None = None
    kilograms: float | None = None
    seconds: float = 0.0
    method: str = ABSENT

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass
class Meter:
    """Holds what was measured once the measuring is over."""

    energy: Energy = field(default_factory=Energy)


@contextmanager
def metered(country: str | None = None) -> Iterator[Meter]:
    """Measure the electricity that the machine takes within a `with` block; nothing is sent anywhere.

    What CodeCarbon cannot measure must never stop the work that is measured.

    Args:
        country: Three-letter code of the country whose electricity is taken; without it no CO2 is stated.
    """
    meter = Meter()
    tracker, reason = _started(country)
    try:
        yield meter
    finally:
        meter.energy = Energy(method=reason) if tracker is None else _stopped(tracker, known=country is not None)


def available() -> bool:
    """Whether CodeCarbon is installed."""
    return importlib.util.find_spec("codecarbon") is not None


def _started(country: str | None) -> tuple[Any, str]:
    if not available():
        return None, ABSENT
    try:
        logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
        module = importlib.import_module("codecarbon")
        tracker = module.OfflineEmissionsTracker(
            country_iso_code=country or "USA",  # it insists on one; without the user's no CO2 is read off it
            save_to_file=False,
            save_to_api=False,  # nothing is sent, whatever a configuration file of its own may say
            save_to_prometheus=False,
            save_to_logfire=False,
            save_to_logger=False,
            log_level="critical",
            measure_power_secs=1,
            allow_multiple_runs=True,
        )
        tracker.start()
    except Exception as error:  # the boundary to a library that reads hardware counters
        return None, f"CodeCarbon could not start: {said(error)}"
    return tracker, ""


def _stopped(tracker: Any, *, known: bool) -> Energy:
    try:
        tracker.stop()
        found = tracker.final_emissions_data
        return energy_of(found, [str(part) for part in getattr(tracker, "_hardware", [])], known=known)
    except Exception as error:  # the boundary to a library that reads hardware counters
        return Energy(method=f"CodeCarbon could not measure: {said(error)}")


def energy_of(found: Any, hardware: list[str], *, known: bool) -> Energy:
    """Return CodeCarbon's final data as what was measured; 0 from a missing counter is "not measured", never 0.

    Args:
        found: CodeCarbon's `EmissionsData`.
        hardware: What it measured, part by part, as it calls it.
        known: Whether the country is known, so that its CO2 means something.
    """
    parts = {"processor": found.cpu_energy, "memory": found.ram_energy, "graphics": found.gpu_energy}
    said = [f"{name} {value:.3g} kWh" if value else f"{name} not measured (no counter)" for name, value in parts.items()]
    measured = bool(found.energy_consumed)
    return Energy(
        kilowatt_hours=float(found.energy_consumed) if measured else None,
        kilograms=float(found.emissions) if measured and known else None,
        seconds=float(found.duration),
        method=f"CodeCarbon {found.codecarbon_version}, whole machine: {', '.join(said)}; by {', '.join(hardware) or 'nothing'}",
    )
