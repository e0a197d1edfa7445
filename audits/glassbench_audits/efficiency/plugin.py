"""The efficiency audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the efficiency audit."""
    yield AuditSpec(
        name="efficiency",
        summary="Parameters, file size, operations, memory, latency and throughput by batch size, electricity and CO2.",
        target="glassbench_audits.efficiency.audit:audit",
        needs=("model",),
        measures=(
            "parameters",
            "trainable_parameters",
            "file_size",
            "operations",
            "peak_memory",
            "latency",
            "throughput",
            "training_energy",
            "training_co2",
            "inference_energy",
            "inference_co2",
        ),
        default=True,
        deterministic=False,
    )
