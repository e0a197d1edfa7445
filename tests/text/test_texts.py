"""Texts become tokens without leaking, and what is odd about them is counted."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.errors import DataError
from glassbench.testing import check_dataset
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.text.encoder import TextEncoder
from glassbench_plugins.text.files import text_table
from glassbench_plugins.text.remarks import Recipe, remarks, written
from glassbench_plugins.text.table import Reading, TextColumns, text_data
from glassbench_plugins.text.topics import topic_sentences
from glassbench_plugins.text.vocabulary import UNKNOWN, Vocabulary, padded


@pytest.mark.parametrize(
    ("function", "settings"), [(remarks, {"rows": 200}), (remarks, {"rows": 200, "tokens": "pieces"}), (topic_sentences, {})]
)
def test_data_sets_keep_their_promises(function, settings):
    check_dataset(function, encoder=TextEncoder, **settings)


@pytest.mark.parametrize("kind", ["pieces", "characters"])
def test_pieces_and_characters_come_back_as_they_were(kind):
    text = "Don't panic: it's  only\na test."
    vocabulary = Vocabulary.fit([text, "another test"], kind=kind, size=400, rare=1, lowercase=False)
    assert vocabulary.decode(vocabulary.numbers([text])[0]) == text
    assert "".join(piece.text for piece in vocabulary.pieces(text, 999)) == text
    again = Vocabulary.from_json(vocabulary.to_json())
    assert again.numbers([text]) == vocabulary.numbers([text])


def test_pieces_of_a_word_share_its_number():
    vocabulary = Vocabulary.fit(["low lower lowest"] * 3, kind="pieces", size=270, rare=2)
    pieces = vocabulary.pieces("lowest slow", 999)
    words = {n: "".join(p.text for p in pieces if p.word == n) for n in {p.word for p in pieces}}
    assert sorted(words.values()) == [" slow", "lowest"]


def test_the_vocabulary_is_learnt_from_training_texts_alone():
    data = remarks(1, rows=300)
    frame = data.test.raw.assign(remark="unheardof kettle is excellent")
    assert "unheardof" not in data.schema.facts.vocabulary
    assert int(data.encoder.encode(frame).inputs[0][0, 0]) == UNKNOWN


def odd_texts(repeated="together"):
    texts = [f"a text number {i}" for i in range(60)] + ["the same"] * 20 + ["", None, "word " * 30]
    frame = pd.DataFrame({"text": texts, "class": ["yes", "no"] * 30 + ["yes"] * 10 + ["no"] * 10 + ["yes", "no", "yes"]})
    columns = TextColumns(text="text", target="class", repeated=repeated)
    return text_data(frame, columns, Division(seed=2), reading=Reading(context=8, rare=1))


def test_empty_and_long_texts_are_read_and_counted():
    data = odd_texts()
    assert any("2 of 83 rows hold an empty text, read as one unknown token" in note for note in data.notes)
    assert any("1 of 83 rows are longer than the context: their first 8 tokens are read" in note for note in data.notes)
    read = data.encoder.encode(pd.DataFrame({"text": ["", "word " * 30]})).inputs[0]
    assert read[0].tolist() == [UNKNOWN] + [0] * (read.shape[1] - 1)
    assert (read[1] != 0).all()


def test_clusters_stay_together_and_labels_name_values(tmp_path):
    frame = pd.DataFrame({"text": [f"remark {i % 40} here" for i in range(120)], "class": [i % 2 for i in range(120)]})
    frame["sex"], frame["author"] = [1 + i % 3 // 2 for i in range(120)], [f"a{i // 4}" for i in range(120)]
    frame.to_csv(tmp_path / "texts.csv", index=False)
    labels = {"class": {"0": "blame", "1": "praise"}, "sex": {"1": "man", "2": "woman"}, "author": "writer"}
    settings = {"text": "text", "target": "class", "sensitive": ("sex",), "cluster": "author", "labels": labels, "positive": "1"}
    data = text_table(3, path=str(tmp_path / "texts.csv"), **settings)
    parts = (data.train, data.validation, data.test)
    assert all(part.clusters.tolist() == frame["author"].iloc[part.rows].tolist() for part in parts)
    assert sum(len(set(part.clusters)) for part in parts) == 30
    assert (data.schema.target.classes, data.schema.target.positive) == (("blame", "praise"), "praise")
    assert data.test.groups["sex"].tolist() == frame["sex"].map({1: "man", 2: "woman"}).iloc[data.test.rows].tolist()
    assert any("go where their writer goes" in note for note in data.notes)
    again = TextEncoder.from_json(data.encoder.to_json()).encode(frame.iloc[data.test.rows])
    assert again.groups["sex"].tolist() == data.test.groups["sex"].tolist()
    assert again.target.tolist() == data.test.target.tolist()


def test_repeated_texts_stay_together_or_are_dropped():
    texts = [set(split.raw["text"]) for split in (odd_texts().train, odd_texts().validation, odd_texts().test)]
    assert sum("the same" in found for found in texts) == 1
    dropped = odd_texts("drop")
    assert sum(map(len, (dropped.train, dropped.validation, dropped.test))) == 83 - 20


def test_a_class_missing_from_validation_is_said_and_trained_all_the_same(tmp_path):
    parts = ["train"] * 40 + ["validation"] * 10 + ["test"] * 10
    tones = ["good", "bad"] * 20 + ["good"] * 10 + ["good", "bad"] * 5
    frame = pd.DataFrame({"text": [f"{tone} thing" for tone in tones], "tone": tones, "part": parts})
    frame.to_csv(tmp_path / "a.csv", index=False)
    dataset = {
        "use": "text-table",
        "path": str(tmp_path / "a.csv"),
        "text": "text",
        "target": "tone",
        "split": {"by": "column", "column": "part"},
    }
    assert "No text of the class bad is in the validation part." in text_table(1, **dict(list(dataset.items())[1:])).notes
    trainer = {"use": "lightning", "max_epochs": 2, "threads": 1}
    experiment = {"name": "one-sided", "dataset": dataset, "task": "classification", "model": "gru", "trainer": trainer}
    done = glassbench.run({**experiment, "audits": ["performance"]}, runs=tmp_path)
    assert next(m.value for m in done.measures if m.name == "performance.accuracy") is not None
    assert "No text of the class bad is in the validation part." in done.report.read_text()


def test_padding_is_cut_and_filled():
    assert padded([[5], [6, 7, 8, 9]], 3).tolist() == [[5, 0, 0], [6, 7, 8]]


def test_json_lines_and_tsv_give_the_same(tmp_path):
    frame = written(Recipe(rows=80), np.random.default_rng(0))[["remark", "tone", "mentions"]]
    lines = "\n".join(json.dumps(record) for record in frame.to_dict("records"))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    frame.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    settings = {"text": "remark", "target": "tone", "sensitive": ("mentions",)}
    first, second = (text_table(1, path=str(tmp_path / name), **settings) for name in ("a.jsonl.gz", "a.tsv"))
    assert first.train.inputs[0].equal(second.train.inputs[0])
    assert first.schema.sensitive == ("mentions",)


def test_a_quote_is_a_character_where_cells_are_not_quoted(tmp_path):
    rows = [f'{"ham" if i % 2 else "spam"}\tsay "{i} now' for i in range(40)]
    (tmp_path / "a.tsv").write_text("label\ttext\n" + "\n".join(rows))
    data = text_table(1, path=str(tmp_path / "a.tsv"), text="text", target="label", quotes=False)
    assert data.train.raw["text"].str.startswith('say "').all()


def test_bad_files_are_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "x", "label": "y"}\nnonsense\n')
    with pytest.raises(DataError, match="no JSON") as error:
        text_table(1, path=str(tmp_path / "a.jsonl"), text="text", target="label")
    assert "line 2" in str(error.value)
    with pytest.raises(DataError, match="no such file"):
        text_table(1, path=str(tmp_path / "b.jsonl"), text="text", target="label")
    (tmp_path / "c.csv").write_text("text,label\nx,y\n")
    with pytest.raises(DataError, match="column"):
        text_table(1, path=str(tmp_path / "c.csv"), text="texts", target="label")


@pytest.mark.parametrize(("kind", "piece"), [("words", "word"), ("pieces", "word"), ("characters", "character")])
def test_pieces_of_a_text_are_called_what_they_are_also_when_read_again(kind, piece):
    vocabulary = Vocabulary.fit(["to be or not to be"], kind=kind, rare=1)
    assert vocabulary.piece == piece
    assert Vocabulary.from_json(vocabulary.to_json()).piece == piece
