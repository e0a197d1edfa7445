"""Where the units of a layer go: the places of a network that go away with them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node

from glassbench.export.networks import program_of

_aten = torch.ops.aten

_LINEAR = (_aten.linear.default,)
_CONVOLUTIONS = (_aten.conv1d.default, _aten.conv2d.default, _aten.conv3d.default)
_NORMS = (_aten.batch_norm.default,)
_BY_ELEMENT = frozenset(
    {
        *(_aten.relu.default, _aten.relu_.default, _aten.gelu.default, _aten.silu.default, _aten.silu_.default),
        *(_aten.leaky_relu.default, _aten.elu.default, _aten.mish.default, _aten.hardswish.default, _aten.hardtanh.default),
        *(_aten.sigmoid.default, _aten.tanh.default, _aten.softplus.default),
        *(_aten.dropout.default, _aten.feature_dropout.default),
        *(_aten.clone.default, _aten.contiguous.default, _aten.alias.default, _aten.detach.default),
    }
)
_POOLS = frozenset(
    {
        *(_aten.max_pool1d.default, _aten.max_pool2d.default, _aten.avg_pool1d.default, _aten.avg_pool2d.default),
        *(_aten.adaptive_avg_pool1d.default, _aten.adaptive_avg_pool2d.default),
    }
)
_REDUCTIONS = (_aten.mean.dim, _aten.amax.default, _aten.sum.dim_IntList)
_RESHAPES = (_aten.flatten.using_ints, _aten.view.default, _aten.reshape.default, _aten._unsafe_view.default)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A dimension of a tensor of a network along which units lie.

    Args:
        name: The parameter or buffer, as `named_parameters` names it.
        dim: The dimension.
        repeat: How many entries in a row are of one unit.
    """

    name: str
    dim: int
    repeat: int = 1


@dataclass(kw_only=True)
class UnitLayer:
    """A linear or convolutional layer, and where its units lie.

    Args:
        weight: Its weight.
        units: Its outputs, or channels.
        own: Places where units are made: its weight, bias, and norms after it.
        read: Places where later layers read them.
        ends: Whether they are what the network answers.
        blocked: What they go through that ties them to something else; None where they can be removed.
    """

    weight: str
    units: int
    own: list[Place] = field(default_factory=list)
    read: list[Place] = field(default_factory=list)
    ends: bool = False
    blocked: str | None = None

    @property
    def removable(self) -> bool:
        """Whether units can be taken out, and the network otherwise stays as it is."""
        return self.blocked is None and not self.ends and bool(self.read)


def unit_layers(network: nn.Module, inputs: Sequence[Tensor]) -> list[UnitLayer]:
    """Return the linear and convolutional layers of a network in the order of computing.

    The network is traced as a program (`torch.export`), and the outputs of each layer are followed through what leaves them
    apart: activations, batch norms, pooling, flattening. A weight that is used twice stays whole.

    Args:
        network: In evaluation mode.
        inputs: A sample of its inputs, `(n, ...)` each, of two rows or more.

    Raises:
        RunError: PyTorch cannot trace it.
    """
    program = program_of(network, inputs)
    signature = program.graph_signature
    names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    nodes = program.graph_module.graph.nodes
    makers = [node for node in nodes if node.target in (*_LINEAR, *_CONVOLUTIONS) and _name(node.args[1], names)]
    return [_followed(node, names) for node in makers]


@dataclass(frozen=True)
class _Arrival:
    """Units that come from one operation to the next.

    Args:
        node: The operation that they come to.
        source: The operation that they come from.
        dim: The dimension of its result along which they lie.
        repeat: How many entries in a row are of one unit.
    """

    node: Node
    source: Node
    dim: int
    repeat: int


def _followed(maker: Node, names: Mapping[str, str]) -> UnitLayer:
    """Return a layer with the places of its units."""
    weight, bias = maker.args[1], maker.args[2] if len(maker.args) > 2 else None
    layer = UnitLayer(weight=_name(weight, names) or "", units=_shape(weight)[0])
    for tensor in (weight, bias):
        _add(tensor, 0, 1, layer.own, layer, names)
    if maker.target in _CONVOLUTIONS and _groups(maker) != 1:
        layer.blocked = "a convolution in groups"
    start = len(_shape(maker)) - 1 if maker.target in _LINEAR else 1
    waiting, seen = [_Arrival(user, maker, start, 1) for user in maker.users], set()
    while waiting and layer.blocked is None:
        at = waiting.pop()
        if (at.node, at.source) in seen:
            continue
        seen.add((at.node, at.source))
        if at.node.op == "output":
            layer.ends = True
            continue
        further = _through(at, layer, names)
        waiting += [] if further is None else [_Arrival(user, at.node, *further) for user in at.node.users]
    return layer


def _through(at: _Arrival, layer: UnitLayer, names: Mapping[str, str]) -> tuple[int, int] | None:
    """Return the dimension of the units after an operation and how many entries are of one; None where they end."""
    others = any(one is at.source for one in at.node.args[1:])
    rule = None if others or not at.node.args or at.node.args[0] is not at.source else _RULES.get(at.node.target)
    found = None if rule is None else rule(at, layer, names)
    if found is None:
        layer.blocked = layer.blocked or str(getattr(at.node.target, "_opname", at.node.target))
        return None
    return None if found == _READ else found


_READ = (-1, -1)
"""What a rule returns where a later layer reads the units, so that they end."""


def _linear(at: _Arrival, layer: UnitLayer, names: Mapping[str, str]) -> tuple[int, int] | None:
    if at.dim != len(_shape(at.source)) - 1:
        return None
    _add(at.node.args[1], 1, at.repeat, layer.read, layer, names)
    return _READ


def _convolution(at: _Arrival, layer: UnitLayer, names: Mapping[str, str]) -> tuple[int, int] | None:
    if at.dim != 1 or at.repeat != 1 or _groups(at.node) != 1 or len(_shape(at.source)) != len(_shape(at.node.args[1])):
        return None
    _add(at.node.args[1], 1, 1, layer.read, layer, names)
    return _READ


def _norm(at: _Arrival, layer: UnitLayer, names: Mapping[str, str]) -> tuple[int, int] | None:
    if at.dim != 1:
        return None
    for tensor in at.node.args[1:5]:
        _add(tensor, 0, at.repeat, layer.own, layer, names)
    return at.dim, at.repeat


def _alike(at: _Arrival, layer: UnitLayer, names: Mapping[str, str]) -> tuple[int, int] | None:
    return at.dim, at.repeat


def _pool(at: _Arrival, layer: UnitLayer, names: Mapping[str, str]) -> tuple[int, int] | None:
    spatial = 1 if "1d" in str(at.node.target) else 2
    return (at.dim, at.repeat) if at.dim == 1 and len(_shape(at.source)) == spatial + 2 else None


def _reduction(at: _Arrival, layer: UnitLayer, names: Mapping[str, str]) -> tuple[int, int] | None:
    """Follow units through a mean, a sum or a maximum over other dimensions."""
    rank = len(_shape(at.source))
    given: Any = at.node.args[1] if len(at.node.args) > 1 else []
    over = {int(one) % rank for one in ([given] if isinstance(given, int) else given or [])}
    if not over or at.dim in over:
        return None
    kept = len(_shape(at.node)) == rank
    return (at.dim if kept else at.dim - sum(one < at.dim for one in over)), at.repeat


def _reshape(at: _Arrival, layer: UnitLayer, names: Mapping[str, str]) -> tuple[int, int] | None:
    """Follow units that keep their dimension, or whose dimension is merged with all later ones."""
    before, after = _shape(at.source), _shape(at.node)
    if before == after:
        return at.dim, at.repeat
    if len(after) == at.dim + 1 and after[: at.dim] == before[: at.dim] and after[-1] == math.prod(before[at.dim :]):
        return at.dim, at.repeat * math.prod(before[at.dim + 1 :])
    return None


def _permutation(at: _Arrival, layer: UnitLayer, names: Mapping[str, str]) -> tuple[int, int] | None:
    rank = len(_shape(at.source))
    order: Any = list(range(rank))
    if at.node.target == _aten.permute.default:
        order = [int(one) % rank for one in at.node.args[1]]  # type: ignore[union-attr, arg-type]
    else:
        one, other = (int(value) % rank for value in at.node.args[1:3])  # type: ignore[arg-type]
        order[one], order[other] = other, one
    return order.index(at.dim), at.repeat


_Rule = Callable[[_Arrival, UnitLayer, Mapping[str, str]], tuple[int, int] | None]

_RULES: dict[Any, _Rule] = {
    **dict.fromkeys(_LINEAR, _linear),
    **dict.fromkeys(_CONVOLUTIONS, _convolution),
    **dict.fromkeys(_NORMS, _norm),
    **dict.fromkeys(_BY_ELEMENT, _alike),
    **dict.fromkeys(_POOLS, _pool),
    **dict.fromkeys(_REDUCTIONS, _reduction),
    **dict.fromkeys(_RESHAPES, _reshape),
    **dict.fromkeys((_aten.permute.default, _aten.transpose.int), _permutation),
}


def _add(tensor: Any, dim: int, repeat: int, places: list[Place], layer: UnitLayer, names: Mapping[str, str]) -> None:
    """Note a tensor among the places of a layer's units."""
    if tensor is None:
        return
    name = _name(tensor, names)
    if name is None or len(tensor.users) > 1:
        layer.blocked = "a weight that is used twice" if name else "a computed weight"
        return
    places.append(Place(name=name, dim=dim, repeat=repeat))


def _name(tensor: Any, names: Mapping[str, str]) -> str | None:
    return names.get(tensor.name) if isinstance(tensor, Node) else None


def _shape(node: Any) -> tuple[Any, ...]:
    return tuple(node.meta["val"].shape)


def _groups(node: Node) -> int:
    return int(node.args[6]) if len(node.args) > 6 else 1  # type: ignore[arg-type]
