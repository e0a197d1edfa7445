"""What is asked for: compressions by name with their settings, one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from glassbench.contracts.compression import Compression
from glassbench.contracts.specs import CompressionSpec
from glassbench.errors import ExperimentError, suggest
from glassbench.experiments.choice import Choice, settled
from glassbench.experiments.experiment_file import Document, override
from glassbench.registry import Component, Registry


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Compressions that follow each other.

    Args:
        name: How it was asked for, such as `distilled+int8`.
        choices: The compressions with their settings.
    """

    name: str
    choices: tuple[Choice, ...]

    @property
    def specs(self) -> tuple[CompressionSpec, ...]:
        """What each is."""
        return tuple(cast(CompressionSpec, choice.component.spec) for choice in self.choices)

    def made(self) -> tuple[Compression, ...]:
        """Return the compressions."""
        return tuple(cast(Compression, choice.make()) for choice in self.choices)

    @property
    def resolved(self) -> list[dict[str, Any]]:
        """Names and settings in full."""
        return [choice.resolved for choice in self.choices]

    @property
    def folder(self) -> str:
        """The name of its folder."""
        return "-".join(choice.component.name for choice in self.choices)


def chains_of(names: Sequence[str], settings: Sequence[str], registry: Registry) -> list[Chain]:
    """Return the chains that are asked for.

    Args:
        names: Compressions by name; `a+b` is one after the other. None stands for each that is installed, by itself.
        settings: Overrides such as `pruned.share=0.9`.
        registry: The plugins.

    Raises:
        ComponentError: A name is unknown.
        ExperimentError: A setting is wrong or of a compression that is not asked for, or an order cannot be.
    """
    known = registry.of_kind("compression")
    asked = list(dict.fromkeys(names or [component.name for component in known if component.built_in]))
    document = override(Document(content={}, text="", name="--to", lines={}), settings)
    used = {part for name in asked for part in name.split("+")}
    strange = [name for name in document.content if name not in used]
    if strange:
        fix = suggest(strange[0], sorted(used))
        raise ExperimentError(
            f"a setting is given for '{strange[0]}', which is not asked for",
            got=strange[0],
            available=sorted(used),
            fix=fix or f"add --to {strange[0]}",
        )
    return [_chain(name, document, registry) for name in asked]


def _chain(name: str, document: Document, registry: Registry) -> Chain:
    components = [registry.find("compression", part.strip(), "--to") for part in name.split("+")]
    _check_order(name, components)
    choices = [settled(c, _given(document.content.get(c.name), c.name), c.name, document) for c in components]
    return Chain(name=name, choices=tuple(choices))


def _given(content: Any, name: str) -> Mapping[str, Any]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ExperimentError(f"'{name}' takes settings by name", got=str(content), fix=f"write {name}.SETTING=VALUE")
    return content


def _check_order(name: str, components: Sequence[Component]) -> None:
    acts = [cast(CompressionSpec, component.spec).acts_on for component in components]
    late = [
        place for place, one in enumerate(acts) if place and (one == "network" or (one == "arrays" and "graph" in acts[:place]))
    ]
    if late:
        moved = components[late[0]].name
        first = "+".join([moved, *(c.name for c in components if c.name != moved)])
        one = (
            "the network itself, so it comes first and once" if acts[late[0]] == "network" else "trees, so it comes before graphs"
        )
        raise ExperimentError(
            f"'{moved}' changes {one}",
            got=name,
            fix=f"write --to {first}" if len(components) > 1 and acts.count("network") <= 1 else "name one of them",
        )


def harder(made: Sequence[Compression]) -> tuple[Compression, ...] | None:
    """Return compressions with the first of them that can compress more one step further; None where none can."""
    for place, one in enumerate(made):
        if (further := one.harder()) is not None:
            return (*made[:place], further, *made[place + 1 :])
    return None
