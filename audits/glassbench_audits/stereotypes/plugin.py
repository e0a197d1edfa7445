"""The audit of stereotypes, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the audit of stereotypes."""
    yield AuditSpec(
        name="stereotypes",
        summary="Does a language model find stereotyped sentences likelier: CrowS-Pairs, WinoBias, BBQ, or its own pairs",
        target="glassbench_audits.stereotypes.audit:audit",
        needs=("model",),
        kinds=("tokens",),
        modalities=("text",),
        measures=("preference", "likelihood_gap", "likelihood_difference", "pairs_left_out"),
        lower_is_better=("preference", "likelihood_gap", "likelihood_difference"),
        shares=("preference", "pairs_left_out"),
    )
