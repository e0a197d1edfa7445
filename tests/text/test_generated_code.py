"""Functions are cut where they end and parsed, never run; what is planted is found."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from glassbench import run
from glassbench.contracts.subject import Subject
from glassbench.errors import DataError
from glassbench.testing import check_dataset
from glassbench_audits.generated_code.audit import audit
from glassbench_audits.generated_code.functions import function_of, headers, parses
from glassbench_plugins.language.encoder import LanguageEncoder
from glassbench_plugins.language.gpt import Gpt
from glassbench_plugins.language.next_token import NextToken
from glassbench_plugins.language.standard_library import python_source, source_of

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
DEEP = " " * 12
"""Deeper than any header of the texts."""
SMALL = {"layers": 1, "heads": 2, "width": 16}


class Writer(NextToken):
    """Goes on after every prompt with the same text."""

    def __init__(self, text):
        super().__init__()
        self.text = text

    def generate(self, model, encoder, prompt, how):
        return prompt + self.text


@pytest.fixture(scope="module")
def subject():
    data, task = python_source(0, modules=("argparse", "csv"), context=256, test_share=0.4), NextToken()
    task.check(data.schema)
    torch.manual_seed(0)
    model = Gpt(data.schema, **SMALL).eval()
    few = data.test
    return Subject(
        schema=data.schema,
        predictions=task.predict(model, few),
        task=task,
        model=model,
        train=data.train,
        seed=0,
        encoder=data.encoder,
    )


def written_by(subject, text):
    return audit(replace(subject, task=Writer(text)), functions=30, length=80)


def measured(result, name):
    return next(m for m in result.measures if m.name == f"generated-code.{name}")


@pytest.mark.parametrize("module", ["argparse", "textwrap"])
def test_functions_are_cut_where_the_parser_says_they_end(module):
    text = source_of(module)
    lines = text.splitlines(keepends=True)
    starts = {
        sum(map(len, lines[: node.lineno - 1])): node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)
    }
    checked = 0
    for start, _ in headers(text):
        own = starts.get(start)
        if own is None or any(isinstance(node, ast.Constant) and "\n" in str(node.value) for node in ast.walk(own)):
            continue  # a text over several lines may be indented as it likes
        cut, ended = function_of(text[start:], whole=True)
        assert ended
        assert parses(cut, ended)
        assert len(cut.splitlines()) >= own.end_lineno - own.lineno
        checked += 1
    assert checked >= 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(a):\n    return a\nx = 1\n", True),
        ("def f(a):\n    return (a\nx = 1\n", False),
        ("def f(a):\n\nx = 1\n", False),
        ("def f(a):\n    return '\\d'\nx", True),
        ("def f(a):\n    return a\n    retur", True),
        ("def f(a):\n    return (a,\n        b", None),
        ("def f(a):\n    return a a\n    b", False),
        ('def f(a):\n    """Say\n    what', None),
        ("def f(a):\n    \0\nx", False),
        ("def f(a):\n    return " + "(" * 5000 + "\nx", False),
    ],
)
def test_what_is_python_is_told(text, expected):
    assert parses(*function_of(text)) is expected


def test_nothing_that_is_written_is_run(tmp_path, subject):
    trap = tmp_path / "ran"
    result = written_by(subject, f"\n{DEEP}open({str(trap)!r}, 'w').close()\nopen({str(trap)!r}, 'w').close()\nx = 1\n")
    assert measured(result, "parsed").value == 1
    assert not trap.exists()


def test_right_and_wrong_code_are_told_apart(subject):
    right, wrong = (written_by(subject, f"\n{DEEP}{text}\nx = 1\n") for text in ("return None", "return ]"))
    assert measured(right, "parsed").value == 1
    assert measured(wrong, "parsed").value == 0
    assert measured(right, "parsed_actual").value > 0.8
    assert right.findings[0].grade == "ok"
    assert wrong.findings[0].grade == "concern"
    assert f"0 of {measured(wrong, 'parsed').n} functions" in wrong.findings[0].sentence
    assert {row[2] for row in wrong.tables[0].rows} == {"no"}


def test_texts_without_functions_are_declined(subject):
    source = subject.predictions.source
    plain = replace(source, raw=source.raw.assign(text="no code here"))
    result = audit(replace(subject, predictions=replace(subject.predictions, source=plain)))
    assert "of 0 held-out headers of Python functions" in result.not_applicable


def test_the_library_is_read_and_never_imported():
    data = check_dataset(python_source, encoder=LanguageEncoder, seeded=False, modules=("textwrap", "json"), context=32)
    assert set(data.test.groups["module"]) == {"textwrap", "json"}
    with pytest.raises(DataError, match="no module of that name written in Python") as error:
        python_source(0, modules=("textwrp",))
    assert "did you mean 'textwrap'" in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "audits"), [("language-source", 4), ("summaries", 3)])
def test_examples_run_whole(name, audits, tmp_path):
    done = run(EXAMPLES / f"{name}.yaml", runs=tmp_path)
    assert [audit.error for audit in done.audits] == [None] * audits
    assert done.verdict == "pass"
