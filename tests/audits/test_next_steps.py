"""What an audit calls a concern comes with what to do about it."""

import ast
from pathlib import Path

import glassbench_audits


def concerns(path):
    """Yield the lines of findings that are a concern by their literal grade, and whether each names a next step."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            grade = given.get("grade")
            if isinstance(grade, ast.Constant) and grade.value == "concern":
                yield f"{path.name}:{node.lineno}", "next_step" in given


def test_every_concern_names_a_next_step():
    found = dict(one for path in Path(glassbench_audits.__path__[0]).rglob("*.py") for one in concerns(path))
    assert len(found) > 30
    assert [place for place, told in found.items() if not told] == []
