"""The text of an experiment: YAML in, plain values and the line of each key out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from glassbench.errors import ExperimentError
from glassbench.storage.plain_files import read_given, readable

KeyPath = tuple[str | int, ...]

_LARGEST = 1_000_000
_MOST_NODES = 20_000
_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null")}


@dataclass(frozen=True)
class Document:
    """An experiment as it was written.

    Args:
        content: Plain values: dicts with text keys, lists, text, numbers, truth values, None.
        text: The file's text.
        name: The file's name, for messages.
        lines: Line of each key and list item, counted from 1.
        overrides: Overrides already applied, as given.
    """

    content: dict[str, Any]
    text: str = ""
    name: str = "experiment"
    lines: dict[KeyPath, int] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()

    def where(self, path: str) -> str:
        """Return `file:line  key.path` for a dotted path, with the line of the nearest enclosing key or its override."""
        keys: list[str | int] = [int(p) if _is_index(p) else p for p in path.split(".") if p]
        known = tuple(keys) in self.lines
        for text in reversed(self.overrides):
            target = text.partition("=")[0]
            if f"{path}.".startswith(f"{target}.") or (not known and target.startswith(f"{path}.")):
                return f"the override {text}  {path}"
        while keys and tuple(keys) not in self.lines:
            keys.pop()
        line = f":{self.lines[tuple(keys)]}" if keys else ""
        return f"{self.name}{line}  {path}"


class _Loader(yaml.SafeLoader):
    """YAML's safe values read as YAML 1.2 does: `on`, `no`, `1:30` and dates stay text, `1e-3` is a number; no aliases."""

    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.nodes += 1
        if self.nodes > _MOST_NODES:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, f"more than {_MOST_NODES:,} keys and values", mark)
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not read here; write the value out", mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9]\d*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"),
    list("-+0123456789."),
)


_SCALARS = _Loader("")


def read_document(path: Path) -> Document:
    """Read an experiment file.

    Raises:
        ExperimentError: There is no such file, or it is not a YAML mapping of plain values.
    """
    try:
        text = read_given(path, 4 * _LARGEST).decode("utf-8")
    except FileNotFoundError as error:
        near = sorted(p.name for p in path.parent.glob("[!.]*.y*ml")) if path.parent.is_dir() else []
        raise ExperimentError(
            "there is no such experiment file",
            got=str(path),
            available=near,
            fix="`glassbench init` writes a first one",
        ) from error
    except OSError as error:
        raise ExperimentError("the experiment file cannot be read", got=error.strerror, where=str(path)) from error
    except ValueError as error:
        raise ExperimentError("the experiment file cannot be read", got=str(error)[:200], where=readable(str(path))) from error
    return parse_document(text, path.name)


def parse_document(text: str, name: str = "experiment") -> Document:
    """Parse the text of an experiment."""
    if len(text) > _LARGEST:
        raise ExperimentError("the experiment file is too large", got=f"{len(text)} characters", where=name)
    lines: dict[KeyPath, int] = {}
    try:
        node = yaml.compose(text, Loader=_Loader)
        content = _values(node, (), lines, name) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ExperimentError("the experiment file is not valid YAML", where=f"{name}{line}", got=error.problem) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ExperimentError("the experiment file is not valid YAML", where=name, got=str(error)[:200]) from error
    if not isinstance(content, dict):
        raise ExperimentError("an experiment is a mapping of keys to values", where=name, got=type(content).__name__)
    return Document(content=content, text=text, name=name, lines=lines)


def override(document: Document, overrides: Sequence[str]) -> Document:
    """Return the document with dotted overrides (`model.hidden=[64,64]`) applied; values are YAML.

    Raises:
        ExperimentError: An override has no `=`, or its path runs through something that holds no keys.
    """
    content = _copy(document.content)
    for text in overrides:
        path, equals, value = text.partition("=")
        if not equals or not all(path.split(".")):
            raise ExperimentError("an override is written path=value", got=text, fix="for example model.hidden=[64,64]")
        parsed = parse_document(f"value: {value}" if value.strip() else "value: null", "override").content["value"]
        _set(content, path.split("."), parsed, text)
    return Document(content, document.text, document.name, document.lines, (*document.overrides, *overrides))


def dump(content: Any) -> str:
    """Return plain values as YAML that `parse_document` reads back unchanged."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.1 or 1.2 would misread, and writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_float(dumper: yaml.SafeDumper, value: float) -> yaml.Node:
    text = {float("inf"): ".inf", float("-inf"): "-.inf"}.get(value, ".nan" if value != value else repr(value))
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


_Dumper.add_representer(float, _represent_float)
_Dumper.yaml_implicit_resolvers = {first: list(resolvers) for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()}
for _tag, _pattern, _first in (
    (tag, pattern, first)
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
    for tag, pattern in resolvers
    if tag.endswith((":float", ":int", ":bool"))
):
    _Dumper.yaml_implicit_resolvers.setdefault(_first, []).append((_tag, _pattern))


def _values(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], name: str) -> Any:
    """Turn composed nodes into plain values, noting lines; refuse what is not plain."""
    if node.tag not in _PLAIN:
        line = node.start_mark.line + 1
        raise ExperimentError("only plain values are read here", where=f"{name}:{line}", got=node.tag)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, name)
    if isinstance(node, yaml.SequenceNode):
        items = []
        for position, item in enumerate(node.value):
            lines[(*path, position)] = item.start_mark.line + 1
            items.append(_values(item, (*path, position), lines, name))
        return items
    _SCALARS.constructed_objects.clear()
    return _SCALARS.construct_object(node)


def _mapping(node: yaml.MappingNode, path: KeyPath, lines: dict[KeyPath, int], name: str) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode) or key_node.value == "<<":
            raise ExperimentError("a key must be plain text", where=f"{name}:{line}")
        if key in content:
            raise ExperimentError(f"the key '{key}' is given twice", where=f"{name}:{line}")
        lines[(*path, key)] = line
        content[key] = _values(value_node, (*path, key), lines, name)
    return content


def _set(content: Any, keys: Sequence[str], value: Any, text: str) -> None:
    for key in keys[:-1]:
        if isinstance(content, dict):
            if isinstance(content.get(key), str) and key in ("dataset", "task", "model", "trainer"):
                content[key] = {"use": content[key]}
            if content.get(key) is None:
                content[key] = {}
            content = content[key]
        else:
            content = _item(content, key, text)
    if isinstance(content, dict):
        content[keys[-1]] = value
    else:
        _item(content, keys[-1], text)
        content[int(keys[-1])] = value


def _is_index(key: str) -> bool:
    """Whether a part of a path is a place in a list: few ASCII digits; `int` reads others too, and `isdigit` yet others."""
    return key.isascii() and key.isdigit() and len(key) < 10


def _item(content: Any, key: str, text: str) -> Any:
    if not isinstance(content, list) or not _is_index(key) or int(key) >= len(content):
        raise ExperimentError("an override's path leads nowhere", got=text, where=key)
    return content[int(key)]


def _copy(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _copy(value) for key, value in content.items()}
    return [_copy(value) for value in content] if isinstance(content, list) else content
