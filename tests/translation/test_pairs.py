"""Pairs become tokens without leaking, and what is odd about them is refused or counted."""

import gzip
import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.errors import DataError, GlassbenchError
from glassbench.testing import check_dataset
from glassbench_plugins.text.vocabulary import Vocabulary
from glassbench_plugins.translation.encoder import END, PairEncoder
from glassbench_plugins.translation.files import text_pairs
from glassbench_plugins.translation.number_words import drawn, in_words, number_words
from glassbench_plugins.translation.spelling import spelt
from glassbench_plugins.translation.written_dates import STYLES, written, written_dates


@pytest.fixture
def pairs(tmp_path):
    """Forty aligned lines in two files, one of them packed."""
    (tmp_path / "a.en").write_text("".join(f"the number {i} is here\n" for i in range(40)))
    (tmp_path / "a.fr.gz").write_bytes(gzip.compress("".join(f"le numéro {i} est là\n" for i in range(40)).encode()))
    return [str(tmp_path / "a.en"), str(tmp_path / "a.fr.gz")]


@pytest.mark.parametrize(("function", "rows"), [(written_dates, 120), (number_words, 120)])
def test_data_sets_keep_their_promises(function, rows):
    data = check_dataset(function, encoder=PairEncoder, rows=rows)
    assert data.schema.target.kind == "sequence"
    assert len(data.schema.sensitive) == 1


@pytest.mark.parametrize("tokens", ["pieces", "words", "characters"])
def test_files_keep_their_promises(tokens, pairs):
    bands = ({"column": "words", "bins": [3.0]},)
    data = check_dataset(text_pairs, encoder=PairEncoder, path=tuple(pairs), tokens=tokens, rare=1, sensitive=bands)
    assert data.schema.sensitive == ("words_band",)


@pytest.mark.parametrize("style", STYLES)
def test_written_dates_read_as_the_day_they_mean(style):
    ways = {"day first": "%d %B %Y", "month first": "%B %d, %Y", "with a weekday": "%A, %d %B %Y", "short": "%d-%b-%Y"}
    ways |= {"dotted": "%d.%m.%Y", "American": "%m/%d/%Y", "with an ending": "%B %d, %Y", "in words": "the %d of %B %Y"}
    for day in (date(1987, 5, 1), date(2011, 11, 11), date(2022, 2, 22), date(2000, 12, 3)):
        plain = pd.Series([written(day, style)]).str.replace(r"(?<=\d)(st|nd|rd|th)\b", "", regex=True)[0]
        assert pd.to_datetime(plain, format=ways[style]).date() == day


def test_numbers_in_words_can_be_read_back():
    values = {in_words(n): n for n in (*range(20), *range(20, 100, 10))}

    def read(words):
        head, thousand, tail = words.rpartition(" thousand")
        if thousand:
            return 1000 * read(head) + read(tail.removeprefix(" and").strip() or "zero")
        head, hundred, tail = words.rpartition(" hundred")
        if hundred:
            return 100 * values[head] + read(tail.removeprefix(" and").strip() or "zero")
        return sum(values[word] for word in words.split())

    frame = drawn(400, 999_999, np.random.default_rng(0))
    assert frame["number"].is_unique
    assert frame["words"].map(read).astype(str).tolist() == frame["number"].tolist()
    assert set(frame["digits"]) == set("123456")


def test_an_answer_ends_in_a_token_of_its_own_and_is_shown_one_place_later():
    data = number_words(0, rows=60)
    source, emitted = data.train.inputs
    names = data.schema.target.classes
    row = next(i for i, text in enumerate(data.train.raw["number"]) if len(text) == 3)
    target = data.train.target[row].tolist()
    written = target[: target.index(END)]
    assert " ".join(names[t] for t in written) == in_words(int(data.train.raw["number"][row]))
    assert emitted[row, : len(written) + 1].tolist() == [END, *written]
    assert (source[row] != 0).sum() == 3


def test_empty_sides_are_left_out_and_counted(pairs, tmp_path):
    lines = (tmp_path / "a.en").read_text().splitlines()
    lines[3], lines[7] = "", "   "
    (tmp_path / "a.en").write_text("\n".join(lines) + "\n")
    data = text_pairs(0, path=tuple(pairs), rare=1)
    kept = {int(row) for split in (data.train, data.validation, data.test) for row in split.rows}
    assert kept == set(range(40)) - {3, 7}
    assert "2 pairs with an empty side were left out" in data.notes


def test_long_texts_are_cut_and_counted(tmp_path):
    frame = pd.DataFrame(
        {"source": [f"w{i}" for i in range(59)] + ["a " * 30], "target": [f"v{i}" for i in range(59)] + ["b " * 30]}
    )
    frame.to_csv(tmp_path / "long.csv", index=False)
    data = text_pairs(0, path=str(tmp_path / "long.csv"), tokens="words", rare=1, context=8)
    said = " ".join(data.notes)
    assert "source: 1 of 60 rows are longer than the context: their first 8 tokens are read" in said
    assert "target: 1 of 60 rows are longer than the context" in said
    cut = data.encoder.encode(frame.tail(1)).target[0]
    assert END not in cut.tolist()


def test_files_of_different_length_are_refused(pairs, tmp_path):
    (tmp_path / "a.en").write_text("one line\n")
    with pytest.raises(DataError, match="not aligned") as error:
        text_pairs(0, path=tuple(pairs))
    assert "a.en: 1 lines and a.fr.gz: 40 lines" in str(error.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"path": "none.csv"}, "no such file"),
        ({"path": "t.csv", "source": "sorce"}, "no column 'sorce'"),
        ({"path": "t.csv", "target": "source"}, "the same column"),
        ({"path": "t.csv", "split": {"by": "file", "validation": "t.csv"}}, "needs 'test'"),
        ({"path": ("empty.txt", "empty.txt")}, "empty"),
        ({"path": "blank.csv"}, "text on both sides"),
    ],
)
def test_bad_input_is_named(settings, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("source,target,part\n" + "a,b,train\n" * 30)
    (tmp_path / "blank.csv").write_text("source,target\n" + "a,\n" * 30)
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(GlassbenchError, match=said):
        text_pairs(0, **settings)


def test_official_parts_stay_as_they_are(pairs, tmp_path):
    for part in ("val", "test"):
        (tmp_path / f"{part}.jsonl").write_text(
            "".join(json.dumps({"source": f"{part} {i}", "target": "x"}) + "\n" for i in range(5))
        )
    split = {"by": "file", "validation": tmp_path / "val.jsonl", "test": tmp_path / "test.jsonl"}
    data = text_pairs(0, path=tuple(pairs), split=split, rare=1)
    assert (len(data.train), len(data.validation), len(data.test)) == (40, 5, 5)
    assert data.test.raw["source"].tolist() == [f"test {i}" for i in range(5)]


def test_pairs_of_one_source_stay_in_one_part(tmp_path):
    frame = pd.DataFrame({"source": [f"s{i // 4}" for i in range(120)], "target": [f"t{i}" for i in range(120)]})
    frame.to_parquet(tmp_path / "p.parquet")
    data = text_pairs(3, path=str(tmp_path / "p.parquet"), tokens="words", rare=1)
    parts = [set(split.raw["source"]) for split in (data.train, data.validation, data.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 30


def test_a_source_that_is_also_learnt_from_is_counted(pairs, tmp_path):
    (tmp_path / "t.csv").write_text("source,target\nthe number 3 is here,x\nnew,y\n")
    data = text_pairs(0, path=tuple(pairs), split={"by": "file", "test": tmp_path / "t.csv", "validation": 0}, rare=1)
    assert "1 of 2 test pairs have a source that is also learnt from" in data.notes


@pytest.mark.parametrize("kind", ["pieces", "words", "characters"])
def test_tokens_spell_what_their_vocabulary_decodes(kind):
    text = "Déjà vu, l'été dernier"
    vocabulary = Vocabulary.fit([text] * 3, kind=kind, size=400, rare=1, lowercase=False, special=("[END]",))
    numbers = vocabulary.numbers([text])[0]
    assert vocabulary.tokens[END] == "[END]"
    assert spelt([vocabulary.tokens[t] for t in numbers], kind) == vocabulary.decode(numbers)


@pytest.mark.parametrize("kind", ["pieces", "words", "characters"])
def test_the_pieces_of_an_answer_make_up_its_words(kind):
    text = "été où l'homme rit."
    vocabulary = Vocabulary.fit([text, "é"], kind=kind, size=258, rare=1, lowercase=False, special=("[END]",))
    numbers = vocabulary.numbers([text])[0]
    pieces = vocabulary.answer([*numbers, END])
    assert "".join(piece.text for piece in pieces) == vocabulary.decode(numbers)
    assert [piece.position for piece in pieces] == list(range(len(numbers) + 1))
    words = pd.Series([p.text for p in pieces]).groupby([p.word for p in pieces]).sum().str.strip()
    split = {"pieces": ["été", "où", "l", "'", "homme", "rit", "."], "words": ["été", "où", "l", "'", "homme", "rit", "."]}
    assert [word for word in words if word] == split.get(kind, [letter for letter in text if letter.strip()])


def test_rows_without_a_truth_can_be_encoded():
    data = written_dates(0, rows=60)
    split = data.encoder.encode(pd.DataFrame({"written": ["3 May 1987", ""]}))
    assert split.target is None
    assert torch.equal(split.inputs[1][:, 0], torch.tensor([END, END]))
    with pytest.raises(DataError, match="lack the column 'written'"):
        data.encoder.encode(pd.DataFrame({"text": ["x"]}))
