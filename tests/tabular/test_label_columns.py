"""Several labels per row in a table: how they are read, divided, encoded again, and refused."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench import DataError
from glassbench.testing import check_dataset, check_model
from glassbench.toolkit.table.encoder import TableEncoder
from glassbench_plugins.supervised.multilabel import MultilabelClassification
from glassbench_plugins.tabular.conditions import conditions
from glassbench_plugins.tabular.files import table
from glassbench_plugins.tabular.ft_transformer import FtTransformer
from glassbench_plugins.tabular.linear import Linear
from glassbench_plugins.tabular.mlp import Mlp

NAMES = ("spam", "toxic", "late")


@pytest.fixture
def mails(tmp_path):
    """300 rows with three labels in three notations, of which one is unknown in ten rows, and the same labels in one column."""
    chance = np.random.default_rng(0)
    truth = (chance.random((300, 3)) < [0.5, 0.2, 0.3]).astype(float)
    truth[:10, 1] = np.nan
    frame = pd.DataFrame({"words": chance.normal(size=300).round(3), "sender": chance.choice(["a", "b"], 300)})
    frame["spam"] = np.where(truth[:, 0] == 1, "Yes", "no")
    frame["toxic"] = truth[:, 1]
    frame["late"] = np.where(truth[:, 2] == 1, "TRUE", "false")
    named = ["; ".join(n for n, has in zip(NAMES, row, strict=True) if has == 1) for row in truth]
    frame["tags"] = pd.Series(named).where(~np.isnan(truth[:, 1]), "NA")
    frame.to_csv(tmp_path / "mails.csv", index=False)
    return tmp_path / "mails.csv", truth


def whole(data):
    """Return the truths of all rows, in the order of the file."""
    parts = (data.train, data.validation, data.test)
    rows = np.concatenate([split.rows for split in parts])
    return rows, torch.cat([split.target for split in parts]).numpy()


def test_yes_and_no_read_in_every_notation_and_empty_cells_are_unknown(mails):
    path, truth = mails
    data = table(3, path=path, target=NAMES, drop=("tags",))
    rows, read = whole(data)
    np.testing.assert_array_equal(read, truth[rows])
    assert (data.schema.target.kind, data.schema.target.classes, data.schema.target.outputs) == ("labels", NAMES, 3)
    assert [feature.name for feature in data.schema.features] == ["words", "sender"]
    assert any("toxic (" in note and "left out of their loss" in note for note in data.notes)


def test_names_in_one_column_are_labels_and_an_empty_cell_is_none_of_them(mails):
    path, truth = mails
    data = table(3, path=path, target="tags", label_separator=";", drop=NAMES)
    assert data.schema.target.classes == tuple(sorted(NAMES))
    rows, read = whole(data)
    known = ~np.isnan(truth[rows]).any(axis=1)
    np.testing.assert_array_equal(read[known], truth[rows][known][:, [NAMES.index(n) for n in sorted(NAMES)]])
    empty = int((np.nan_to_num(truth[10:]).sum(axis=1) == 0).sum())
    assert any(str(one) == f"tags: {empty} empty cells: these rows have none of the labels" for one in data.treatments)


def test_rare_names_are_left_out_and_said(mails, tmp_path):
    path, _ = mails
    frame = pd.read_csv(path, keep_default_na=False)
    frame.loc[20, "tags"] = "spam; odd"
    frame.to_csv(tmp_path / "odd.csv", index=False)
    data = table(3, path=tmp_path / "odd.csv", target="tags", label_separator=";", drop=NAMES)
    assert "odd" not in data.schema.target.classes
    assert any("1 labels that fewer than 10 rows have are left out: odd" in str(one) for one in data.treatments)


def test_parts_hold_their_share_of_every_label(mails):
    path, truth = mails
    data = table(3, path=path, target=NAMES, drop=("tags",))
    for split in (data.train, data.validation, data.test):
        np.testing.assert_allclose(np.nanmean(split.target.numpy(), axis=0), np.nanmean(truth, axis=0), atol=0.06)


def test_rows_are_encoded_again_with_and_without_their_labels(mails):
    path, _ = mails
    data = table(3, path=path, target=NAMES, drop=("tags",))
    again = TableEncoder.from_json(json.loads(json.dumps(data.encoder.to_json())))
    encoded = again.encode(data.test.raw)
    torch.testing.assert_close(encoded.target, data.test.target, equal_nan=True)
    assert again.encode(data.test.raw.drop(columns="late")).target is None
    with pytest.raises(DataError, match="the label 'spam' is neither 'yes' nor 'no'"):
        again.encode(data.test.raw.assign(spam="perhaps"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target": ("spam", "words")}, "'words' must hold two values"),
        ({"target": ("spam", "sender")}, "which value of 'sender' means that a row has the label"),
        ({"target": ("spam", "toxic"), "positive": "maybe"}, "which value of 'spam' means"),
        ({"target": ("spam", "toxik")}, "there is no column 'toxik'"),
        ({"target": ("spam", "spam")}, "named twice"),
        ({"target": ("spam",)}, "two columns at least"),
        ({"target": ("spam", "toxic"), "kind": "class"}, "no kind"),
        ({"target": ("spam", "toxic"), "label_separator": ";"}, "cuts the names of one column"),
        ({"target": ("spam", "toxic"), "sensitive": ("spam",)}, "both the target and a sensitive feature"),
        ({"target": ("spam", "toxic"), "favourable": ("late",)}, "there is no label 'late'"),
        ({"target": ("spam", "toxic"), "favourable": ("spam", "not spam")}, "both 'spam' and 'not spam'"),
    ],
)
def test_what_is_no_label_is_refused(mails, settings, said):
    with pytest.raises(DataError, match=said):
        table(3, path=mails[0], **settings)


def test_a_label_that_no_training_row_has_is_refused(mails, tmp_path):
    frame = pd.read_csv(mails[0]).assign(part=["train"] * 200 + ["test"] * 100)
    frame.loc[frame["part"] == "train", "spam"] = "no"
    frame.to_csv(tmp_path / "parts.csv", index=False)
    with pytest.raises(DataError, match="no training rows have the label 'spam'"):
        table(3, path=tmp_path / "parts.csv", target=("spam", "toxic"), split={"by": "column", "column": "part"})


def test_the_made_patients_keep_what_a_data_set_promises():
    check_dataset(conditions, encoder=TableEncoder, rows=300)
    unknown = conditions(1, rows=300, unknown_share=0.2)
    assert 0.1 < float(torch.isnan(unknown.train.target).float().mean()) < 0.3


@pytest.mark.parametrize("model", [Linear, Mlp, FtTransformer])
def test_networks_give_one_number_per_label(model):
    data = conditions(1, rows=300)
    assert model(data.schema)(data.test.inputs[0][:5]).shape == (5, 4)
    check_model(model, data=data, task=MultilabelClassification())
