"""A package for a new plugin: code, tests, checks and a README that pass as they are written."""

import keyword
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Literal, get_args

from glassbench.errors import ExperimentError, suggest

PluginKind = Literal["model", "estimator", "dataset", "task", "audit", "trainer", "tracker", "mitigation", "launcher"]

KINDS: tuple[str, ...] = get_args(PluginKind)

_NAME = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")


@dataclass(frozen=True, kw_only=True)
class NewPlugin:
    """A package as yet unwritten.

    Args:
        kind: What it brings.
        name: What experiments call the component: lower-case words joined by hyphens.
        folder: The folder it is written to, which must not exist or be empty.

    Raises:
        ExperimentError: The kind or the name cannot be used, or the folder holds something.
    """

    kind: str
    name: str
    folder: Path

    def __post_init__(self) -> None:
        """Refuse what cannot be written."""
        if self.kind not in KINDS:
            fix = suggest(self.kind, KINDS)
            raise ExperimentError(f"no template for a plugin of kind '{self.kind}'", got=self.kind, available=KINDS, fix=fix)
        if not _NAME.match(self.name) or keyword.iskeyword(self.name):
            raise ExperimentError(
                "a component's name is lower-case words joined by hyphens", got=self.name, fix="for example 'wide-network'"
            )
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise ExperimentError("the folder is not empty", where=str(self.folder), fix="name another with --folder")

    @property
    def module(self) -> str:
        """The name of its import package."""
        return f"glassbench_{self.name.replace('-', '_')}"

    def write(self) -> list[Path]:
        """Write the package; return its files in order."""
        written = []
        for path, template in self._files.items():
            text = resources.files(__name__).joinpath("templates", template).read_text(encoding="utf-8")
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(text).substitute(self._words), encoding="utf-8")
            written.append(target)
        return written

    @property
    def _files(self) -> dict[str, str]:
        return {
            "pyproject.toml": "pyproject.toml.txt",
            "README.md": "README.md.txt",
            ".github/workflows/checks.yml": "checks.yml.txt",
            f"src/{self.module}/__init__.py": "init.py.txt",
            f"src/{self.module}/plugin.py": f"{self.kind}_plugin.py.txt",
            f"src/{self.module}/{self.kind}.py": f"{self.kind}.py.txt",
            f"tests/test_{self.name.replace('-', '_')}.py": f"{self.kind}_test.py.txt",
        }

    @property
    def _words(self) -> dict[str, str]:
        function = self.name.replace("-", "_")
        words = self.name.replace("-", " ")
        return {
            "name": self.name,
            "module": self.module,
            "kind": self.kind,
            "function": f"{function}_" if keyword.iskeyword(function) else function,
            "title": "".join(part.capitalize() for part in self.name.split("-")),
            "words": words,
            "use": _USES[self.kind].replace("NAME", self.name),
        }


_USES = {
    "model": "name: try-it\ndataset: diabetes\ntask: classification\nmodel: {use: NAME, width: 16}",
    "estimator": "name: try-it\ndataset: diabetes\ntask: classification\nmodel: {use: NAME}",
    "dataset": "name: try-it\ndataset: {use: NAME, rows: 400}\ntask: classification\nmodel: logistic-regression",
    "task": "name: try-it\ndataset: {use: diabetes, target: value}\ntask: NAME\nmodel: mlp",
    "audit": "name: try-it\ndataset: diabetes\ntask: classification\nmodel: mlp\naudits: [performance, NAME]",
    "trainer": "name: try-it\ndataset: diabetes\ntask: classification\nmodel: mlp\ntrainer: {use: NAME, epochs: 20}",
    "tracker": "name: try-it\ndataset: diabetes\ntask: classification\nmodel: mlp\ntrackers: [NAME]",
    "mitigation": "name: try-it\ndataset: diabetes\ntask: classification\nmodel: mlp\nmitigations: [NAME]",
    "launcher": "name: try-it\nexperiment: experiment.yaml\nvary: {seeds: 3}\nlauncher: {use: NAME}",
}
