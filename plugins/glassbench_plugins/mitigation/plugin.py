"""What the mitigation plugin brings."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import MitigationSpec


@hookimpl
def glassbench_mitigations() -> Iterable[MitigationSpec]:
    """Yield the built-in mitigations."""
    yield MitigationSpec(
        name="reweighing",
        summary="Weighs training rows so that group and class are independent (Kamiran and Calders 2012)",
        target="glassbench_plugins.mitigation.reweighing:Reweighing",
        when="before",
        kinds=("classes",),
        assumes="Groups differ in the classes they were given for reasons that decisions should not repeat.",
        caution="Where classes truly differ between groups, the model's probabilities are wrong for each group afterwards.",
    )
    yield MitigationSpec(
        name="group-dro",
        summary="Descends the loss of the groups that are learnt worst (Sagawa et al. 2020)",
        target="glassbench_plugins.mitigation.group_dro:GroupDRO",
        when="while",
        forms=("module",),
        assumes="Each group has enough training rows to be learnt; small groups need a strong weight decay or early stopping.",
        caution="It helps the worst group and usually costs accuracy overall; it does not make rates equal between groups.",
    )
    yield MitigationSpec(
        name="group-thresholds",
        summary="Decides by a threshold for each group that makes rates alike (Hardt et al. 2016)",
        target="glassbench_plugins.mitigation.group_thresholds:GroupThresholds",
        when="after",
        kinds=("classes",),
        binary=True,
        at_decision=True,
        assumes="Validation rows are like the rows that will be decided, and each group has enough of them.",
        caution=(
            "It needs each person's group at the moment of decision and holds people of different groups to different standards, "
            "which can be unlawful disparate treatment (of credit and employment in the United States, for example)."
        ),
    )
