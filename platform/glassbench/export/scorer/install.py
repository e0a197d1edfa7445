"""Install what a scorer needs into a folder, without what it never opens.

    python install.py packages
    PYTHONPATH=packages python score.py rows.csv

NumPy and ONNX Runtime come with tools, tests and a second library for programs in C, which scoring does not use: 155 MB as pip
installs them, 87 MB so.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

UNUSED = (
    "bin",
    "numpy/f2py",
    "numpy/**/tests",
    "onnxruntime/capi/libonnxruntime.so.*",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
)
"""What scoring never opens, as patterns below the folder."""

_PIP = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--upgrade")


def slimmed(folder: Path) -> int:
    """Delete what scoring never opens; return how many bytes are left."""
    for pattern in UNUSED:
        for path in list(folder.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.exists():
                path.unlink()
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main(arguments: Sequence[str] | None = None) -> int:
    """Install into the folder named; return 0, or what pip returned where it failed."""
    parser = argparse.ArgumentParser(description="Install what a scorer needs into a folder.")
    parser.add_argument("folder", type=Path, help="a new folder for the packages")
    asked = parser.parse_args(arguments)
    if asked.folder.exists():
        print(f"error: {asked.folder} is there already; name a new folder", file=sys.stderr)
        return 2
    needed = Path(__file__).with_name("requirements.txt")
    done = subprocess.run([sys.executable, *_PIP, "--target", str(asked.folder), "-r", str(needed)], check=False)
    if done.returncode:
        return done.returncode
    print(f"{asked.folder}: {slimmed(asked.folder) / 1e6:.0f} MB; PYTHONPATH={asked.folder} python score.py rows.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
