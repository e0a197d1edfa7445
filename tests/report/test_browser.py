"""The page in a real browser; skipped where there is none.

GLASSBENCH_AXE names a folder where npm installed axe-core and playwright-core.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

MODULES = Path(os.environ.get("GLASSBENCH_AXE", "")) / "node_modules"
SCRIPT = Path(__file__).with_name("axe.mjs")


def missing():
    programs = [name for name in ("chromium", "node") if shutil.which(name) is None]
    return programs + [name for name in ("axe-core", "playwright-core") if not (MODULES / name).is_dir()]


pytestmark = pytest.mark.skipif(bool(missing()), reason=f"no browser check without {', '.join(missing())}")


def test_axe_finds_nothing_serious_and_nothing_is_fetched(report, tmp_path):
    page = tmp_path / "report.html"
    page.write_text(report, encoding="utf-8")
    command = ["node", SCRIPT, MODULES.parent, page.as_uri()]
    environment = os.environ | {"CHROMIUM": str(shutil.which("chromium"))}
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True, env=environment)
    for look in json.loads(done.stdout):
        assert look["passes"] > 20
        assert (look["findings"], look["requests"], look["wider"]) == ([], [], 0)
