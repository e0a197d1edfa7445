"""What is said where rows cannot be divided: what was wrong, where, what was got, what there is and the fix.

A text that changes on purpose changes `split_refusals.json` with it: `GLASSBENCH_GOLDEN=write pytest` of this file, and the
difference is read before it is committed.
"""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import GlassbenchError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.named_parts import named_parts
from glassbench.toolkit.splits.split_by import division_of, one_file
from glassbench.toolkit.splits.split_by_date import times_of
from glassbench.toolkit.splits.splits import Division, _divide, balanced, divide, stratified
from glassbench.toolkit.splits.weights import Weights, weights_of

TEXTS = Path(__file__).parent / "split_refusals.json"
FRAME = pd.DataFrame(
    {
        "when": [f"2024-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in range(1, 11)],
        "part": ["train"] * 20 + ["test"] * 10,
        "person": np.repeat(np.arange(6), 5),
        "paid": np.tile(["no", "yes"], 15),
        "mass": np.tile([1.0, 2.0, 0.5], 10),
    }
)
SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}


def by(split, frame=FRAME, **settings):
    return lambda: division_of(split, frame, seed=0, cells=Cells(), **settings)


def into(division, frame=FRAME):
    return lambda: divide(frame["paid"], division)


def weighed(values, **settings):
    return lambda: weights_of(pd.DataFrame({"mass": values}), "mass", Cells(), **settings)


REFUSED = {
    "a key of another way": by({"by": "random", "column": "when"}),
    "a key with a slip": by({"by": "date", "colum": "when"}),
    "a key nobody knows": by({"by": "random", "zebra": 1}),
    "no column of dates": by({"by": "date"}),
    "no file of test rows": by({"by": "file"}),
    "a column that is not there": by({"by": "date", "column": "wen"}),
    "a share and a date": by({"by": "date", "column": "when", "test": 0.2, "from": "2024-03-01"}),
    "a share and a date for validation": by({"by": "date", "column": "when", "validation": 0.2, "validation_from": "2024-02-01"}),
    "a share of more than all": by({"by": "random", "test": 1.5}),
    "a negative share": by({"by": "random", "validation": -0.25}),
    "a file for a share": by({"by": "random", "test": "rows.csv"}),
    "files where there can be none": by({"by": "file", "test": "rows.csv"}),
    "a share for the file of test rows": by({"by": "file", "test": 0.2}, read=lambda files, where: FRAME),
    "a file without a column": by({"by": "file", "test": "b.csv"}, read=lambda files, where: FRAME.drop(columns="paid")),
    "clusters that nobody named": by({"by": "cluster"}),
    "folds by date": by({"by": "date", "column": "when"}, fold={"number": 0, "of": 3}),
    "folds and a share": by({"by": "random", "test": 0.2}, fold={"number": 0, "of": 3}),
    "two files for one": lambda: one_file((Path("a.csv"), Path("b.csv")), "dataset.split.test"),
    "a part nobody knows": lambda: named_parts(FRAME["part"].replace("test", "exam")),
    "no row for testing": lambda: named_parts(FRAME["part"].replace("test", "val")),
    "dates that are none": lambda: times_of(pd.Series(["2024-01-01", "soon", "later"], name="when"), Cells(), None),
    "dates that are missing": lambda: by(
        {"by": "date", "column": "when"}, FRAME.assign(when=FRAME["when"].mask(FRAME.index < 3))
    )(),
    "a date beyond all": by({"by": "date", "column": "when", "from": "2031-01-01"}),
    "a date before all": by({"by": "date", "column": "when", "from": "2011-01-01"}),
    "shares of everything": into(Division(seed=0, validation=0.5, test=0.5)),
    "a fold that there is not": into(Division(seed=0, validation=0.2, fold={"number": 3, "of": 3})),
    "validation that leaves nothing": into(Division(seed=0, validation=0.7, fold={"number": 0, "of": 3})),
    "folds of given parts": into(Division(seed=0, validation=0.2, given={"train": np.arange(9)}, fold={"number": 0, "of": 3})),
    "nineteen rows": lambda: stratified(np.repeat(["no", "yes"], [10, 9]), SHARES, 0),
    "a class of two rows": lambda: stratified(np.repeat(["no", "yes"], [28, 2]), SHARES, 0),
    "two clusters for three parts": lambda: balanced(np.zeros(30), np.repeat([0, 1], 15), SHARES, 0),
    "test rows without a target": into(
        Division(seed=0, validation=0.2, given={"train": np.arange(20), "test": np.arange(20, 30)}),
        FRAME.assign(paid=FRAME["paid"].mask(FRAME.index >= 20)),
    ),
    "training rows of one class": into(
        Division(seed=0, validation=0, given={"train": np.arange(0, 20, 2), "test": np.arange(20, 30)})
    ),
    "weights that are no numbers": weighed(["1", "much", "inf"]),
    "weights below nothing": weighed([1.0, -2.0, 3.0]),
    "weights that are missing": weighed(["1", "", "2"]),
    "weights that are missing, in a table": weighed(["1", "", "2"], strange="error"),
    "weights of nothing": weighed([0.0, 0.0]),
    "nothing to be judged": lambda: Weights(values=np.array([1.0, 0.0, 0.0]), column="mass").notes(np.array([1, 2])),
}


def said(error: GlassbenchError) -> dict[str, object]:
    parts = {"problem": error.problem, "where": error.where, "got": error.got, "fix": error.fix}
    return {**{name: part for name, part in parts.items() if part}, "text": str(error)}


@pytest.mark.parametrize("name", REFUSED)
def test_rows_that_cannot_be_divided_are_refused_in_these_words(name):
    with pytest.raises(GlassbenchError) as error:
        REFUSED[name]()
    known = json.loads(TEXTS.read_text()) if TEXTS.exists() else {}
    if os.environ.get("GLASSBENCH_GOLDEN") == "write":
        known[name] = said(error.value)
        TEXTS.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    assert said(error.value) == known[name]


@pytest.mark.parametrize("split", [None, {"by": "random"}, {"by": "cluster", "column": "person"}])
def test_a_fold_that_was_asked_for_is_the_divisions(split):
    fold = {"number": 1, "of": 3}
    assert division_of(split, FRAME, seed=0, cells=Cells(), fold=fold)[1].fold == fold


def test_rows_without_a_target_are_drawn_by_the_seed():
    target = pd.Series(np.where(np.arange(200) < 100, "no", "yes"), dtype=object).mask(np.arange(200) % 4 == 0)
    drawn = [divide(target, Division(seed=seed, validation=0.2, test=0.2), undecided=True)["test"].tolist() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert sum(np.array(drawn[0]) % 4 == 0) == 10  # a fifth of the fifty rows without one


def test_a_part_gets_one_row_of_a_class_that_is_owed_one():
    """Of 30 and 5 rows a tenth is 3 and about one: no part takes more of the smaller class than it is owed."""
    for seed in range(5):
        parts = stratified(np.repeat(["no", "yes"], [30, 5]), {"train": 0.8, "validation": 0.1, "test": 0.1}, seed)
        assert [int((parts[part] >= 30).sum()) for part in ("validation", "test")] == [1, 1]


@pytest.mark.parametrize(("form", "last"), [("%d/%m/%Y", [5, 11]), ("%m/%d/%Y", [10, 11])])
def test_dates_are_read_as_the_setting_says_they_are_written(form, last):
    """Read as days and months the other way round, other rows are the latest."""
    written = [
        f"{first:02d}/{second:02d}/2024"
        for first, second in zip(range(1, 13), [2, 3, 1, 5, 4, 12, 6, 8, 7, 10, 9, 11], strict=True)
    ]
    frame = pd.DataFrame({"when": written, "paid": ["no", "yes"] * 6})
    split = {"by": "date", "column": "when", "format": form, "test": 2 / 12, "validation": 2 / 12}
    assert division_of(split, frame, seed=0, cells=Cells())[1].given["test"].tolist() == last


def test_parts_that_are_owed_more_than_there_is_give_way_the_largest_first():
    """Five and two are owed of four rows: five gives way to one, and training keeps a row."""
    parts = _divide(np.arange(4), {"train": 0, "validation": 5, "test": 2})
    assert {part: len(rows) for part, rows in parts.items()} == {"validation": 1, "test": 2, "train": 1}
