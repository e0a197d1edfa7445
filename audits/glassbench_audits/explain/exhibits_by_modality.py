"""What a single decision looks like, by what its row is: each modality brings a file of its own."""

from collections.abc import Callable, Mapping
from typing import Any

from glassbench.data import Modality
from glassbench.subject import Subject
from glassbench_audits.explain.attribution import Explainer
from glassbench_audits.explain.cases import Told
from glassbench_audits.explain.importance import Importance
from glassbench_audits.explain.series_exhibits import series_case, series_overview

CaseExhibits = Callable[[Subject, Explainer, int, Told], dict[str, Any]]
"""From a subject, its explainer, a row's position and what is known of the row to fields of `Case`: tokens, pictures, charts."""

Overview = Callable[[Subject, Explainer, Importance], dict[str, Any]]
"""From a subject, its explainer and the global picture to evidence over all rows explained: charts, pictures, tables."""

CASES: Mapping[Modality, CaseExhibits] = {"series": series_case}
OVERVIEWS: Mapping[Modality, Overview] = {"series": series_overview}


def case_exhibits(subject: Subject, explainer: Explainer, position: int, told: Told) -> dict[str, Any]:
    """Return the fields of a case that show its row as its modality is looked at; none where the contributions say it all."""
    build = CASES.get(subject.schema.modality)
    return {} if build is None else build(subject, explainer, position, told)


def overview(subject: Subject, explainer: Explainer, picture: Importance) -> dict[str, Any]:
    """Return evidence over all rows explained, as the modality is looked at: `charts`, `pictures`, `tables`."""
    build = OVERVIEWS.get(subject.schema.modality)
    return {} if build is None else build(subject, explainer, picture)
