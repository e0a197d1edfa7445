"""Tutorial notebooks as pages: their text and their code, without outputs."""

import json
from pathlib import Path


def pages(docs: Path) -> dict[str, str]:
    """Return the Markdown of each notebook of `tutorials` by the path of its page."""
    return {f"tutorials/{path.stem}.md": page(path) for path in sorted((docs / "tutorials").glob("*.ipynb"))}


def page(path: Path) -> str:
    """Return a notebook's cells as Markdown, after its title a link to the notebook itself."""
    cells = json.loads(path.read_text())["cells"]
    parts = ["".join(c["source"]) if c["cell_type"] == "markdown" else fenced("".join(c["source"])) for c in cells]
    title, _, rest = parts[0].partition("\n")
    return "\n\n".join([title, f"A notebook: [{path.name}]({path.name})", rest.strip(), *parts[1:]]) + "\n"


def fenced(code: str) -> str:
    """Return code as a block."""
    return f"```python\n{code}\n```"
