"""What the mitigation plugin brings."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import MitigationSpec


@hookimpl
def glassbench_mitigations() -> Iterable[MitigationSpec]:
    """Yield the built-in mitigations."""
    yield from _before_training()
    yield from _while_training()
    yield from _of_decisions()
    yield from _of_scores()


def _before_training() -> Iterable[MitigationSpec]:
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
        name="resampling",
        summary="Draws training rows so that group and class are independent (Kamiran and Calders 2012)",
        target="glassbench_plugins.mitigation.resampling:Resampling",
        when="before",
        kinds=("classes",),
        assumes="Groups differ in the classes they were given for reasons that decisions should not repeat.",
        caution="Rows of large cells are left out and rows of small ones are repeated, so less is learnt than by reweighing.",
    )
    yield MitigationSpec(
        name="correlation-removal",
        summary="Takes the linear correlation with sensitive features from encoded inputs (Fairlearn's CorrelationRemover)",
        target="glassbench_plugins.mitigation.correlation_removal:CorrelationRemoval",
        when="before",
        at_decision=True,
        assumes="What gives groups away in the inputs is linear; trees and networks may find the rest.",
        caution=(
            "It needs each person's group at the moment of decision to correct the inputs, and explanations speak of corrected "
            "inputs. Removing a correlation with the outcome that has good reasons costs accuracy."
        ),
    )


def _while_training() -> Iterable[MitigationSpec]:
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
        name="gap-penalty",
        summary="Adds to the loss how far groups lie apart in selection, or in decisions given the true class",
        target="glassbench_plugins.mitigation.gap_penalty:GapPenalty",
        when="while",
        kinds=("classes",),
        forms=("module",),
        assumes="Batches hold enough rows of each group to tell the gap: some 20 or more.",
        caution="The penalty is on probabilities, so that the gap in decisions may stay; a large strength makes every row alike.",
    )
    yield MitigationSpec(
        name="adversarial",
        summary="Trains an adversary that guesses groups from a network's outputs, and unlearns what it knows",
        target="glassbench_plugins.mitigation.adversarial:Adversarial",
        when="while",
        kinds=("classes",),
        forms=("module",),
        assumes="The adversary is strong enough to find what tells groups apart, and batches hold rows of each group.",
        caution=(
            "An adversary that is too weak finds nothing and shows nothing; look at the gap itself. A large strength makes every "
            "row alike, and results vary more from seed to seed than those of other mitigations."
        ),
    )
    yield MitigationSpec(
        name="exponentiated-gradient",
        summary="Mixes fits of an estimator so that rates are alike between groups (Fairlearn's ExponentiatedGradient)",
        target="glassbench_plugins.mitigation.reductions:ExponentiatedGradientReduction",
        when="while",
        kinds=("classes",),
        forms=("estimator",),
        binary=True,
        trusts=("glassbench_plugins.mitigation.reductions.ReducedClassifier",),
        assumes="Training rows are like the rows that will be decided, and each group has enough of them.",
        caution="Its scores are shares of fits, not probabilities of the class: do not read them as such.",
    )
    yield MitigationSpec(
        name="grid-reduction",
        summary="Keeps the fit of an estimator with the best trade of error and gap over a grid (Fairlearn's GridSearch)",
        target="glassbench_plugins.mitigation.reductions:GridReduction",
        when="while",
        kinds=("classes",),
        forms=("estimator",),
        binary=True,
        trusts=("glassbench_plugins.mitigation.reductions.ReducedClassifier",),
        assumes="Two groups or few: with more, a grid of the same size is too coarse.",
        caution="Weighting rows by group and class makes the probabilities of each group wrong; look at the calibration audit.",
    )


def _of_decisions() -> Iterable[MitigationSpec]:
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
    yield MitigationSpec(
        name="reject-option",
        summary="Decides uncertain rows for the favourable class in groups that get it less often, against it in the others",
        target="glassbench_plugins.mitigation.reject_option:RejectOption",
        when="after",
        kinds=("classes",),
        binary=True,
        at_decision=True,
        assumes="Validation rows are like the rows that will be decided, and scores near one half are the least sure.",
        caution=(
            "It needs each person's group at the moment of decision and decides equal rows of different groups differently, "
            "which can be unlawful disparate treatment. It takes the favourable outcome from some who had it."
        ),
    )
    yield MitigationSpec(
        name="abstention",
        summary="Leaves uncertain rows open for somebody to decide, by a coverage or an error asked for (Chow 1970)",
        target="glassbench_plugins.mitigation.abstention:Abstention",
        when="after",
        kinds=("classes",),
        sensitive=False,
        assumes="Validation rows are like the rows that will be decided, errors have low scores, and somebody decides the rest.",
        caution=(
            "Groups are seldom left open alike, and errors among decided rows can rise in a small group while they fall over all "
            "(Jones et al. 2021): look at decided_share and error_among_decided by group. Leaving a row open is a decision too "
            "where delay or a second look harms, and a person who follows the suggestion decides nothing."
        ),
    )
    yield MitigationSpec(
        name="cost-threshold",
        summary="Decides by the threshold at which wrong decisions of two classes cost least on validation rows",
        target="glassbench_plugins.mitigation.cost_threshold:CostThreshold",
        when="after",
        kinds=("classes",),
        binary=True,
        sensitive=False,
        assumes="Validation rows are like the rows that will be decided, and a wrong decision costs alike whoever it is about.",
        caution=(
            "It lowers cost over all rows and may move errors from one group to another: look at rates and costs by group. Costs "
            "that only the decider bears leave out what a wrong decision costs the person."
        ),
    )


def _of_scores() -> Iterable[MitigationSpec]:
    yield MitigationSpec(
        name="score-calibration",
        summary="Makes probabilities as often right as they say: temperature, Platt or isotonic, also by group",
        target="glassbench_plugins.mitigation.score_calibration:ScoreCalibration",
        when="after",
        kinds=("classes",),
        sensitive=False,
        assumes="Validation rows are like the rows that will be decided.",
        caution=(
            "By group it needs each person's group at the moment of decision, which can be unlawful disparate treatment; "
            "calibrated groups usually differ in error rates, since both cannot be equal where base rates differ."
        ),
    )
    yield MitigationSpec(
        name="group-offsets",
        summary="Moves the log-probabilities of classes by group until rates of each class are alike; any number of classes",
        target="glassbench_plugins.mitigation.group_offsets:GroupOffsets",
        when="after",
        kinds=("classes",),
        at_decision=True,
        assumes="Validation rows are like the rows that will be decided, and each group has enough of them.",
        caution=(
            "It needs each person's group at the moment of decision and holds people of different groups to different standards, "
            "which can be unlawful disparate treatment. Equal rates are no aim where the classes truly differ between groups."
        ),
    )
