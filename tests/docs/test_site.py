"""The site: what is generated covers the code, and all of it builds without a warning."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import glassbench
from glassbench.experiments.experiment_schema import experiment_schema
from glassbench.registry import Registry

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site_pages():
    """The module that makes pages from the code; it stands beside the modules it imports."""
    pytest.importorskip("mkdocs")
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "scripts" / "site_pages" / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


@pytest.fixture(scope="module")
def pages(site_pages):
    return site_pages.generated(DOCS)


def _leaves(menu):
    """Yield the pages that a menu of MkDocs leads to."""
    for entry in menu if isinstance(menu, list) else menu.values():
        yield from [entry] if isinstance(entry, str) else _leaves(entry)


def test_each_page_stands_in_the_menu():
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    written = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md") if "decisions/0" not in str(path)}
    assert written - set(_leaves(settings["nav"])) == set()


def test_each_public_name_is_documented(pages):
    text = pages["reference/api/users.md"] + pages["reference/api/authors.md"]
    assert {
        name for name in glassbench.__all__ if not re.search(rf"^::: glassbench\.[\w.]+\.{name}$", text, re.MULTILINE)
    } == set()
    lacking = [name for name in glassbench.__all__ if not (getattr(glassbench, name).__doc__ or "").strip()]
    assert lacking == []


def test_each_component_and_setting_is_on_a_page(pages):
    text = "\n".join(pages[name] for name in pages if name.startswith("reference/components/"))
    known = [c for c in Registry().components if c.built_in]
    assert [c.canonical for c in known if f"## `{c.name}`" not in text] == []
    assert "| `max_leaf_nodes` | whole number |" in text.replace(" | null", "")


def test_each_key_of_an_experiment_is_on_the_page_with_words(pages):
    schema = experiment_schema(Registry())
    rows = [line.split(" | ") for line in pages["reference/experiment-keys.md"].splitlines() if line.startswith("| `")]
    gate = schema["properties"]["gates"]["items"]["properties"]
    assert [row for row in rows if row[1] == "anything"] == []
    assert [row[0].strip("|` ") for row in rows] == [*schema["properties"], *gate]
    assert [row[0] for row in rows if not row[-1].strip("| ")] == []


def _spelled(node):
    """Return a text as far as it stands in the source: all of it, or up to a bracket that is filled in later."""
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        return node.values[0].value.partition("[")[0]
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _measure_names():
    """Yield the names of measures that the source spells: `audit.measure`, metrics of tasks, and rates of groups."""
    whole = re.compile(rf"({'|'.join(re.escape(c.name) for c in Registry().of_kind('audit') if c.built_in)})\.([a-z0-9_]+)")
    for path in [*(ROOT / "audits").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
                continue
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            texts = [_spelled(each) for each in (*node.args[:1], *(k.value for k in node.keywords if k.arg == "name"))]
            if called in ("Metric", "Rate", "GroupMetric"):
                yield from filter(re.compile("[a-z0-9_]+").fullmatch, texts)
            if called == "of" or called.lower().endswith("measure"):
                yield from (match.group(2) for match in map(whole.fullmatch, texts) if match)


def test_each_measure_that_the_source_names_is_on_its_page():
    names = set(_measure_names())
    page = set(re.findall(r"[a-z0-9_]+", (DOCS / "reference" / "measures.md").read_text()))
    assert {"accuracy", "label_rate", "selection_rate", "roc_auc", "stability"} <= names  # the search finds them at all
    assert names - page == set()


def test_the_gallery_names_experiments_that_there_are():
    entries = yaml.safe_load((DOCS / "gallery.yaml").read_text())
    assert len(entries) >= 12
    assert [name for name in entries if not (DOCS / "examples" / f"{name}.yaml").is_file()] == []


def test_the_gallery_leads_to_the_reports_that_were_built(site_pages, tmp_path):
    def words():
        return site_pages.gallery.page(DOCS, tmp_path)

    assert "gallery/diabetes/report.html" not in words()
    (tmp_path / "diabetes").mkdir()
    (tmp_path / "diabetes" / "report.html").write_text("<p>a report</p>")
    (tmp_path / "diabetes" / "run.json").write_text('{"verdict": "fail", "bytes": 15}')
    assert "[the report](gallery/diabetes/report.html) · fail" in words()
    assert list(site_pages.gallery.files(tmp_path)) == ["gallery/diabetes/report.html"]
    assert "gallery/digits/report.html" not in words()


def test_the_picture_of_the_front_page_is_small():
    assert (DOCS / "report.png").stat().st_size < 200_000


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_asks_for_nothing_elsewhere(tmp_path):
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings_handlers.python")
    command = [str(ROOT / "scripts" / "site"), "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHON": sys.executable})
    assert done.returncode == 0, done.stderr[-4000:]
    pages = [p for p in (tmp_path / "site").rglob("*.html") if "gallery" not in p.parts]
    assert len(pages) > 60
    loaded = re.compile(
        r"<(?:script|img|iframe)\b[^>]*\bsrc=\"?(?:https?:)?//|<link\b[^>]*rel=\"?(?:style|pre)[^>]*href=\"?(?:https?:)?//"
    )
    assert [p.name for p in pages if loaded.search(p.read_text())] == []
