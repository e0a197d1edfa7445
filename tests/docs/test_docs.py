"""Every Python block of the documentation runs, and every experiment in it is planned."""

import re
from pathlib import Path

import pytest

from glassbench import plan
from glassbench.experiments.experiment_file import parse_document

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
WALK = ROOT / "docs" / "tutorials" / "credit-scoring.md"
"""Its Python blocks read what its commands write: `test_walkthrough.py` runs both."""
GENERATED = ("reference/components/", "reference/api/", "reference/experiment-keys.md", "reference/changes.md", "gallery.md")
"""Pages that are made when the site is built, which checks links to them."""


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [p for p in PAGES if p != WALK], ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("GLASSBENCH_RUNS", str(tmp_path))
    names = {"__name__": "page", "tmp_path": tmp_path}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_experiments_in_the_text_can_be_planned(page):
    for block in blocks(page, "yaml"):
        content = parse_document(block).content
        if "dataset" in content:
            plan(content)


@pytest.mark.parametrize("example", sorted((ROOT / "docs" / "examples").glob("*.yaml")), ids=lambda p: p.stem)
def test_examples_can_be_planned(example):
    plan(example)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        place = (page.parent / target).resolve()
        made = place.is_relative_to(ROOT / "docs") and str(place.relative_to(ROOT / "docs")).startswith(GENERATED)
        assert made or place.exists() or place.with_suffix(".ipynb").exists(), target
