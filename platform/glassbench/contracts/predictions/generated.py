"""A picture generated for each held-out one, under the same class."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.choices import in_order
from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.predictions.named_classes import named_classes
from glassbench.contracts.predictions.outputs import GeneratedOutput, NotableRows, RowErrors
from glassbench.contracts.predictions.picture_text import decoded_pictures
from glassbench.contracts.schema import Schema

PICTURE, REACH, COVERED, RECALLED, DENSITY, PRECISE, RECOGNISED = (
    "picture",
    "reach",
    "covered",
    "recalled",
    "density",
    "precise",
    "recognised",
)
"""Columns of predictions beside rows and classes."""
REAL, MADE = "real.", "made."
"""Beginnings of the columns of features, of held-out and of generated pictures."""


class Generated(PredictionKind):
    """A picture generated for each held-out picture, of the same class.

    `y_true` is the wanted class, the held-out picture's, and `y_pred` the class that an independent classifier sees in the
    generated picture. `picture` is the generated picture as text (`encoded_pictures`). What is measured of the held-out picture
    stands beside it: `reach` and `covered` (is a generated picture near?), `recalled`, `recognised` (does the classifier see its
    class?) and features `real.<k>`; of the generated one `density`, `precise` and features `made.<k>`. Groups are those of
    held-out pictures, so that only what is measured of these is compared between groups.
    """

    name = "generated"
    required = ("row", "y_true", "y_pred", PICTURE, REACH, COVERED, RECALLED)
    softmax = True

    def decided_words(self, schema: Schema) -> str:
        """Return the classes that pictures are generated of."""
        return f"generates an {schema.unit} of a wanted class: {named_classes(schema.target.classes)}"

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors:
        """Return which held-out pictures no generated one of their class is near."""
        return RowErrors(
            size=1 - np.nan_to_num(frame[COVERED].to_numpy(dtype=float)),
            binary=True,
            words=f"share of held-out {schema.unit}s that are not covered",
            measure="not_covered",
            complement="coverage",
        )

    def generated_output(self, frame: pd.DataFrame, schema: Schema) -> GeneratedOutput:
        """Return the generated pictures as models see pictures."""
        facts, light = schema.facts_of(ImageFacts), decoded_pictures(list(map(str, frame[PICTURE])))
        if facts is not None and len(light):
            mean, std = (np.asarray(ends, dtype=np.float32)[:, None, None] for ends in (facts.mean, facts.std))
            light = (light - mean) / std
        return GeneratedOutput(
            rows=light,
            wanted=frame["y_true"].astype(str),
            seen=frame["y_pred"].astype(str),
            covered=frame[COVERED].to_numpy(dtype=float),
            recalled=frame[RECALLED].to_numpy(dtype=float),
        )

    def group_metrics(self, metrics: Sequence[Metric], frame: pd.DataFrame, schema: Schema) -> tuple[Metric, ...]:
        """Return what is measured of held-out pictures: whether they are covered, and reached."""
        return tuple(metric for metric in metrics if metric.name in ("coverage", "recall"))

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return the held-out pictures that generated ones are furthest from and nearest to."""
        reach = frame[REACH].to_numpy(dtype=float)
        known = np.flatnonzero(np.isfinite(reach))
        far, near = known[in_order(-reach[known])], known[in_order(reach[known])]
        return (
            NotableRows(title=f"the held-out {schema.unit} furthest from generated ones of its class", rows=far),
            NotableRows(title=f"the held-out {schema.unit} nearest to a generated one of its class", rows=near),
        )

    def said_with_certainty(self, frame: pd.DataFrame, position: int, schema: Schema) -> str:
        """Return whether a generated picture is near the held-out one."""
        reach = float(frame[REACH].iloc[position])
        where = "covered" if reach <= 1 else "not covered"
        return f"{where} by generated {schema.unit}s of class “{frame['y_true'].iloc[position]}”"

    def attribution_words(self, schema: Schema) -> str:
        """Return that log-odds of the wanted class are explained."""
        return f"how much better the model finds a held-out {schema.unit} to fit its class than all others"

    def sides(self, frame: pd.DataFrame, schema: Schema) -> np.ndarray | None:
        """Return None: pictures are of different classes."""
        return None

    def one_sided(self, index: Tensor | None, schema: Schema) -> Tensor | None:
        """Raise `LookupError`: there is no one class that directions could be said of."""
        raise LookupError("directions are said of one class")
