"""Which pictures are shown with their regions, and which error stands under each."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.predictions.outputs import NotableRows, RegionOutput, RowErrors
from glassbench.contracts.schema import Schema, Target
from glassbench_audits.performance.regions import drawn, region_pictures

SCHEMA = Schema(modality="image", shape=(1, 2, 2), target=Target(name="t", kind="mask", classes=("ground", "cell")))
ERRORS = np.array([0.11, 0.22, 0.33, 0.44, 0.55])


def subject(actual: bool = True) -> Any:
    notable = (NotableRows(title="the worst", rows=np.array([4, 3, 2])), NotableRows(title="the best", rows=np.array([0, 4, 1])))
    asked: list[list[int]] = []

    def regions(frame: Any, positions: np.ndarray, schema: Any) -> RegionOutput:
        asked.append(positions.tolist())
        masks = tuple(np.full((2, 2), position % 2) for position in positions)
        return RegionOutput(names=("ground", "cell"), predicted=masks, actual=masks if actual else None)

    kind = SimpleNamespace(notable_rows=lambda frame, schema: notable, region_output=regions)
    images = lambda rows: SimpleNamespace(batch=lambda part: SimpleNamespace(inputs=(torch.zeros(len(rows), 1, 2, 2),)))  # noqa: E731
    source = SimpleNamespace(take=images)
    predictions = SimpleNamespace(source=source, frame=pd.DataFrame({"row": [f"p{k}.png" for k in range(5)]}))
    errors = RowErrors(size=ERRORS, binary=False, words="1 minus Dice", measure="dice_error")
    return SimpleNamespace(schema=SCHEMA, kind=kind, predictions=predictions, row_errors=errors), asked


def test_each_picture_has_its_own_error_and_is_shown_for_the_first_of_its_reasons() -> None:
    """Two of each kind: pictures 4 and 3, then 0; 4 is among the best too, and is not shown again."""
    asked_of, asked = subject()
    found = region_pictures(asked_of)
    assert asked == [[4, 3, 0]]
    assert [one.title for one in found] == ["The worst: p4.png", "The worst: p3.png", "The best: p0.png"]
    said = [one.message.split(", ")[-1] for one in found]
    assert said == ["1 minus Dice 0.55.", "1 minus Dice 0.44.", "1 minus Dice 0.11."]
    assert [one.legend for one in found] == [
        "blue: ground (100.0 %, 100.0 %) of the picture.",
        "orange: cell (100.0 %, 100.0 %) of the picture.",
        "blue: ground (100.0 %, 100.0 %) of the picture.",
    ]


def test_without_truths_only_predictions_are_drawn() -> None:
    found = region_pictures(subject(actual=False)[0])
    assert all("what is true" not in one.message for one in found)
    assert found[1].legend == "orange: cell (100.0 %) of the picture."


def test_what_lies_nowhere_leaves_the_picture_as_it_is() -> None:
    light = np.full((4, 4, 3), 200, dtype=np.uint8)
    over = drawn(light, np.array([[-1, 0], [1, -1]]))
    assert (over[:2, :2] == 200).all()
    assert (over[2:, 2:] == 200).all()
    assert over[0, 2].tolist() == (200 * 0.45 + np.array([23, 78, 166]) * 0.55).astype(int).tolist()
    assert over[3, 1].tolist() == (200 * 0.45 + np.array([194, 80, 12]) * 0.55).astype(int).tolist()
