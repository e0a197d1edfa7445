"""What MkDocs calls while it builds the site: pages that are made from the code are added to those that are written."""

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

import api
import components
import experiment_keys
import gallery
import notebooks

from glassbench.registry import Registry

ROOT = Path(__file__).resolve().parents[2]


def generated(docs: Path) -> dict[str, str]:
    """Return the Markdown of all pages that are made from the code, by their paths."""
    registry = Registry()
    return {
        **components.pages(registry),
        "reference/experiment-keys.md": experiment_keys.page(registry),
        **api.pages(),
        **notebooks.pages(docs),
        "gallery.md": gallery.page(docs, ROOT / "build" / "gallery"),
        "reference/changes.md": (ROOT / "CHANGELOG.md").read_text().replace("# Changelog", "# Changes", 1),
    }


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and the reports of the gallery."""
    for path, text in generated(Path(config.docs_dir)).items():
        files.append(File.generated(config, path, content=text))
    for path, place in gallery.files(ROOT / "build" / "gallery").items():
        files.append(File.generated(config, path, abs_src_path=str(place)))
    return files
