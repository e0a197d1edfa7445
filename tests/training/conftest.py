"""Lets the tests and the script here import `tiny_training`, the learning problem they share."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
