"""The audit of proxies, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the audit of proxies."""
    yield AuditSpec(
        name="proxies",
        summary="Can sensitive features be told from the inputs, or from what the model leans on; which inputs give them away",
        target="glassbench_audits.proxies.audit:audit",
        needs=("predictions", "groups"),
        measures=("inputs_auc", "inputs_p_value", "attributions_auc", "attributions_p_value", "disparity_p_value"),
    )
