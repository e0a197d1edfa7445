"""Subjects made of nothing but counts per group."""

import numpy as np
import pandas as pd
import pytest

from glassbench import Predictions, Schema, Subject, Target
from glassbench_plugins.predictions.tasks import GivenClasses


@pytest.fixture
def decided():
    """Build a subject from rows of (groups, selected, all): `decided({"sex": "male"}, 667, 1390)`, several at once."""

    def make(*cells, scores=None):
        rows = [
            {**{f"group.{k}": v for k, v in groups.items()}, "y_pred": name, "frequency": n}
            for groups, selected, total in cells
            for name, n in (("selected", selected), ("not", total - selected))
            if n
        ]
        frame = pd.DataFrame(rows)
        if scores is not None:
            frame = frame.loc[frame.index.repeat(frame["frequency"])].reset_index(drop=True).drop(columns="frequency")
            frame["score.selected"] = scores(frame)
        sensitive = tuple(c.removeprefix("group.") for c in frame if c.startswith("group."))
        target = Target(name="outcome", kind="class", classes=("not", "selected"), positive="selected")
        frame.insert(0, "row", np.arange(len(frame)))
        return Subject(
            schema=Schema(modality="table", shape=(0,), target=target, sensitive=sensitive),
            predictions=Predictions(frame=frame),
            task=GivenClasses(),
        )

    return make
