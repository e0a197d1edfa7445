"""Modules beside the tests, such as `seeded`, are found whatever the import mode."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
