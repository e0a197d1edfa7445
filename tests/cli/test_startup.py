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
