"""The latent audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the latent audit."""
    yield AuditSpec(
        name="latent",
        summary="What each entry of a code changes in the rows, and whether entries are used at all",
        target="glassbench_audits.latent.audit:audit",
        needs=("model", "predictions"),
        measures=("entries_used", "change"),
    )
