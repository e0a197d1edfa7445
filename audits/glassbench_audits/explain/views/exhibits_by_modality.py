"""What a single decision looks like, by what it is and what its row is: each modality brings a file of its own."""

from collections.abc import Callable, Mapping
from typing import Any

from glassbench.contracts.schema import Modality
from glassbench.contracts.subject import Subject
from glassbench_audits.attribution.cases import ExplainedRow
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.importance import Importance
from glassbench_audits.attribution.sampled import Sampled
from glassbench_audits.explain.views.answer_exhibits import answer_case
from glassbench_audits.explain.views.audio_exhibits import audio_case, audio_overview
from glassbench_audits.explain.views.image_exhibits import image_case, image_overview
from glassbench_audits.explain.views.policy_exhibits import policy_case, policy_overview
from glassbench_audits.explain.views.series_exhibits import series_case, series_overview
from glassbench_audits.explain.views.token_exhibits import text_case, text_overview

CaseExhibits = Callable[[Subject, Explainer, int, ExplainedRow], dict[str, Any]]
"""From a subject, its explainer, a row's position and what is known of the row to fields of `Case`: tokens, pictures, charts."""

Overview = Callable[[Subject, Explainer, Importance, Sampled], dict[str, Any]]
"""From a subject, its explainer, the global picture and the rows behind it to evidence over all of them: charts, tables."""

CASES: Mapping[Modality, CaseExhibits] = {
    "audio": audio_case,
    "image": image_case,
    "series": series_case,
    "observation": policy_case,
    "text": text_case,
}
OVERVIEWS: Mapping[Modality, Overview] = {
    "audio": audio_overview,
    "image": image_overview,
    "series": series_overview,
    "observation": policy_overview,
    "text": text_overview,
}


def case_exhibits(subject: Subject, explainer: Explainer, position: int, explained_row: ExplainedRow) -> dict[str, Any]:
    """Return the fields of a case that show its row as its modality is looked at; none where the contributions say it all."""
    answers = subject.kind.answer_output(subject.predictions.frame, subject.schema) is not None
    build = answer_case if answers and subject.schema.modality == "text" else CASES.get(subject.schema.modality)
    return {} if build is None else build(subject, explainer, position, explained_row)


def overview(subject: Subject, explainer: Explainer, picture: Importance, sampled: Sampled) -> dict[str, Any]:
    """Return evidence over all rows explained, as the modality is looked at: `charts`, `pictures`, `tables`, `findings`."""
    build = OVERVIEWS.get(subject.schema.modality)
    return {} if build is None else build(subject, explainer, picture, sampled)
