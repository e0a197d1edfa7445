"""The gallery's page: what each report shows, with its picture where `scripts/gallery` has built it."""

import json
from pathlib import Path
from typing import Any

import yaml

_HEAD = """# Gallery

Reports of the experiments in `docs/examples`, as the code makes them. `scripts/gallery` runs the examples and builds the reports;
`glassbench run docs/examples/NAME.yaml` builds one.
"""


def page(docs: Path, built: Path) -> str:
    """Return the Markdown of the gallery.

    Args:
        docs: The folder of the documentation, which names the examples.
        built: Where `scripts/gallery` writes; it need not be there.
    """
    entries: dict[str, str] = yaml.safe_load((docs / "gallery.yaml").read_text())
    return "\n".join([_HEAD, *(entry(name, words, built / name) for name, words in entries.items())])


def entry(name: str, words: str, place: Path) -> str:
    """Return one report's section."""
    lines = [f"## {name}\n", f"{words}\n", f"[The experiment](examples/{name}.yaml)"]
    if (place / "run.json").exists():
        facts: dict[str, Any] = json.loads((place / "run.json").read_text())
        lines[-1] += f" · [the report](gallery/{name}/report.html) · {facts['verdict']} · {facts['bytes'] / 1e6:.1f} MB"
        if (place / "report.png").exists():
            lines.append(f"\n![First screen of the report of {name}](gallery/{name}/report.png)")
    return "\n".join([*lines, ""])


def files(built: Path) -> dict[str, Path]:
    """Return the files of built reports by their place in the site."""
    found = [path for path in sorted(built.glob("*/report.*")) if (path.parent / "run.json").exists()]
    return {f"gallery/{path.parent.name}/{path.name}": path for path in found}
