"""Tutorial notebooks run from the first cell to the last, and stand in the repository without outputs."""

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "tutorials").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_stored_without_outputs(path):
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path, tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    book = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(book, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert not any(output["output_type"] == "error" for cell in book.cells for output in cell.get("outputs", ()))


@pytest.mark.slow
def test_a_run_in_a_notebook_draws_one_bar_that_ends_full(tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    trainer = "{'use': 'lightning', 'max_epochs': 2, 'early_stopping': None}"
    data = "{'use': 'diabetes', 'target': 'value'}"
    experiment = f"{{'name': 'n', 'dataset': {data}, 'task': 'regression', 'model': 'linear', 'trainer': {trainer}}}"
    code = f"import glassbench\nrun = glassbench.run({experiment} | {{'audits': ['performance', 'learning']}})"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(book, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    pages = [output["data"]["text/html"] for output in book.cells[0]["outputs"] if "data" in output]
    (bar,) = [page for page in pages if "glassbench-progress" in page]
    assert 'value="1.000"' in bar
    assert "<b>done</b>" in bar
