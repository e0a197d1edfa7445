"""One page for each kind of component: every component with its settings, from the registry."""

from glassbench.cli.component_page import describe
from glassbench.contracts.specs import KINDS
from glassbench.errors import GlassbenchError
from glassbench.registry import Component, Registry

_TITLES = {
    "dataset": "Data sets",
    "task": "Tasks",
    "model": "Models",
    "trainer": "Trainers",
    "audit": "Audits",
    "mitigation": "Mitigations",
    "compression": "Compressions",
    "tracker": "Trackers",
    "launcher": "Launchers",
}


def pages(registry: Registry) -> dict[str, str]:
    """Return the Markdown of each kind's page by its path."""
    return {f"reference/components/{kind}s.md": page(registry, kind) for kind in KINDS}


def page(registry: Registry, kind: str) -> str:
    """Return the page of one kind: a table of all its components, then a section for each."""
    components = [c for c in registry.of_kind(kind) if c.built_in]
    rows = [f"| [`{c.name}`](#{anchor(c)}) | {cell(c.spec.summary)} |" for c in components]
    head = f"# {_TITLES[kind]}\n\nMade from the installed components; `glassbench plugins show NAME` prints the same.\n"
    return "\n".join([head, "| name | what it is |", "|---|---|", *rows, "", *(section(c) for c in components)])


def anchor(component: Component) -> str:
    """Return the id of a component's section."""
    return f"{component.spec.kind}-{component.name}"


def section(component: Component) -> str:
    """Return what a component is, its docstring and its settings."""
    heading = f"## `{component.name}` {{ #{anchor(component)} }}\n"
    try:
        known = describe(component)
    except GlassbenchError as error:
        return f"{heading}\n{component.spec.summary}\n\nNot installed here: {error.problem}.\n"
    needs = component.spec.requires
    extra = f"\nNeeds `pip install 'glassbench[{component.spec.extra}]'`.\n" if needs and component.spec.extra else ""
    rows = [setting_row(setting) for setting in known["settings"]]
    table = "\n".join(["| setting | type | default | |", "|---|---|---|---|", *rows]) if rows else "It takes no settings."
    return f"{heading}\n{prose(known['doc'])}\n{extra}\n{table}\n"


def setting_row(setting: dict[str, object]) -> str:
    """Return a setting's row of the table."""
    default = "required" if setting["required"] else f"`{cell(as_written(setting['default']))}`"
    return f"| `{setting['name']}` | {cell(str(setting['type']))} | {default} | {cell(str(setting['doc'] or ''))} |"


def as_written(value: object) -> str:
    """Return a default as an experiment writes it."""
    return {True: "true", False: "false", None: "null"}.get(value, str(value)) if isinstance(value, bool | None) else str(value)


def cell(text: str) -> str:
    """Return a text that may stand in a table's cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def prose(doc: str) -> str:
    """Return a docstring as Markdown: angle brackets are no tags."""
    return doc.replace("<", "&lt;")
