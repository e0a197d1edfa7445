import subprocess
import sys

import pytest

HEAVY = {"torch", "pytorch_lightning", "captum", "fairlearn", "sklearn", "pandas", "numpy", "pydantic", "altair", "rich"}


@pytest.mark.parametrize("arguments", [["--help"], ["plugins", "list"], ["plugins", "list", "--json"]])
def test_help_and_plugins_list_import_nothing_heavy(arguments):
    code = (
        "import sys; from glassbench.cli import app; code = app.invoke(sys.argv[1:]); "
        "print('LOADED', ' '.join(m for m in sys.modules if '.' not in m), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.rpartition("LOADED ")[2].split())
    assert "click" in loaded
    assert not loaded & HEAVY


def test_decisions_made_elsewhere_are_audited_without_what_trains_models(tmp_path):
    rows = "".join(f"{k % 2},{(k // 2) % 2},{0.2 + 0.01 * (k % 60)},{'ab'[k % 3 == 0]}\n" for k in range(200))
    (tmp_path / "given.csv").write_text(f"truth,decision,p,sex\n{rows}")
    asked = ["--truth", "truth", "--decision", "decision", "--score", "p", "--sensitive", "sex", "--positive", "1"]
    code = "import sys; from glassbench.cli import app; app.invoke(sys.argv[1:]); print('LOADED', *sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", code, "audit", "given.csv", *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    loaded = set(done.stderr.rpartition("LOADED ")[2].split())
    assert "glassbench_audits.calibration.audit" in loaded
    assert not loaded & {"pytorch_lightning", "lightning_fabric", "torchmetrics", "transformers"}
