"""How an explanation was made, for the reader and for whoever repeats it."""

from typing import Any

from glassbench.contracts.evidence import Method
from glassbench.contracts.subject import Subject
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.preparation import Prepared, Settings
from glassbench_audits.explain.views import wording

_WIDEST_BASELINE = 512


def method_description(subject: Subject, settings: Settings, prepared: Prepared) -> Method:
    """Return how a subject was explained, with everything that a direct Captum call needs to repeat it."""
    explainer = prepared.explainer
    used = explainer.method
    what = f"Each number is {used.sentence}. What is explained is {wording.output_words(subject)}."
    against = _against(subject, explainer)
    return Method(
        summary=f"{what} {against} Tests of the explanation itself decide its reliability grade.",
        parameters={
            "method": used.name,
            "asked": settings.method,
            "replaced": prepared.replaced,
            "rows": len(prepared.positions),
            "held_out_rows": len(subject.predictions.frame),
            "steps": explainer.steps if used.name == "integrated-gradients" else None,
            "samples": explainer.samples if used.random and explainer.samples else None,
            "captum_seed": explainer.seed if used.random else None,
            "probability_floor": explainer.explained.floor,
            "attribution_layer": getattr(explainer.explained.model, "attribution_layer", None),
            **_baseline_parameters(explainer),
            "replicates": settings.replicates,
            "level": settings.level,
        },
        references=(
            used.reference,
            "Yeh et al. (2019), On the (in)fidelity and sensitivity of explanations",
            "Petsiuk, Das, Saenko (2018), RISE: randomized input sampling for explanation",
            "Adebayo et al. (2018), Sanity checks for saliency maps",
            "Yona, Greenfeld (2021), Revisiting sanity checks for saliency maps",
            "Slack et al. (2020), Fooling LIME and SHAP",
            "Hedström et al. (2024), Sanity checks revisited: an exploration to repair the model parameter randomisation test",
        ),
        cautions=_cautions(explainer),
    )


def _against(subject: Subject, explainer: Explainer) -> str:
    if explainer.method.name == "feature-permutation":
        return "Rows are compared with one another; there is no baseline."
    if explainer.method.name == "input-x-gradient":
        return "Its implicit baseline is zero in every encoded column."
    if explainer.baseline.name == "zero" and subject.schema.layout.pixels:
        return "The baseline is an even image: zero in every channel, which is the mean of the training images once standardised."
    return f"The baseline is {explainer.baseline.sentence}."


def _baseline_parameters(explainer: Explainer) -> dict[str, Any]:
    if explainer.method.name == "feature-permutation":
        return {"baseline": None}
    if explainer.method.name == "input-x-gradient":
        return {"baseline": "zero"}
    values = explainer.baseline.values
    small = len(values) == 1 and values.numel() <= _WIDEST_BASELINE and explainer.baseline.name != "contrast"
    return {"baseline": explainer.baseline.name, "baseline_values": values[0].tolist() if small else None}


def _cautions(explainer: Explainer) -> tuple[str, ...]:
    cautions = [
        "An attribution tells what the model uses, not what causes the truth.",
        "Another baseline gives other attributions: they answer 'compared with what?'.",
    ]
    if explainer.feature_groups.features:
        cautions.append("Inputs that go together share their influence in ways the data do not settle.")
    else:
        cautions.append("The inputs carry no names, so single attributions are tested and summed up but not drawn.")
    return tuple(cautions)
