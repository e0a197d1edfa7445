"""The audit of generated code, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the audit of generated code."""
    yield AuditSpec(
        name="generated-code",
        summary="How many functions that a language model of Python source writes can be parsed; nothing is run",
        target="glassbench_audits.generated_code.audit:audit",
        needs=("model", "predictions"),
        kinds=("tokens",),
        modalities=("text",),
        measures=("parsed", "parsed_actual", "parsed_difference"),
        higher_is_better=("parsed", "parsed_actual"),
        lower_is_better=("parsed_difference",),
        shares=("parsed", "parsed_actual"),
        references=("parsed_actual",),
    )
