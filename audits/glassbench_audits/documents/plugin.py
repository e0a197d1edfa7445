"""The documents, as the registry sees them."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the model card and the evidence for Annex IV."""
    yield AuditSpec(
        name="model-card",
        summary="A model card in the Hugging Face format, its figures filled in from the run.",
        target="glassbench_audits.documents.model_card:audit",
        needs=("results",),
        measures=("filled",),
        counted=True,
    )
    yield AuditSpec(
        name="annex-iv",
        summary="The headings of EU AI Act Annex IV with what the run knows under each, and “not provided” elsewhere.",
        target="glassbench_audits.documents.annex_iv:audit",
        needs=("results",),
        measures=("filled",),
        counted=True,
    )
