"""A graph network: atoms that pass messages along bonds."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.molecules.sizes import molecule_sizes

_KINDS = (1, 2, 3, 5)
"""Bonds that have messages of their own: single, double, triple, aromatic."""


class MoleculeGraph(nn.Module):
    """Messages by a linear map for each kind of bond (Schlichtkrull and others 2018, "R-GCN"), and a value for each atom.

    Every layer adds to an atom's state what its neighbours say. States are not normalised and maps add no constant: an atom of
    which nothing is known then says nothing, so that explanations, which start from such atoms, do not depend on how many there
    are. The molecule's value is the sum of its atoms' values and their
    mean, so that it can grow with the molecule. Tokens that are no atoms are not read.

    Args:
        schema: Tells the vocabulary and the padding.
        layers: Rounds of messages: how many bonds away an atom is seen.
        width: Length of an atom's state.
        dropout: Share of each round's result set to 0 while training.
    """

    attribution_layer = "embedding"
    is_atom: Tensor

    def __init__(self, schema: Schema, *, layers: Count = 4, width: Count = 96, dropout: ShareBelowOne = 0.1) -> None:
        super().__init__()
        sizes = molecule_sizes(schema, "molecule-graph")
        self.embedding = nn.Embedding(sizes.tokens, width, padding_idx=sizes.padding)
        self.layers = nn.ModuleList(_Messages(width, dropout) for _ in range(layers))
        self.head = nn.Sequential(nn.Linear(width, width, bias=False), nn.GELU(), nn.Linear(width, 2, bias=False))
        self.middle = nn.Parameter(torch.zeros(()))
        self.register_buffer("is_atom", torch.tensor(sizes.atoms), persistent=False)

    def forward(self, tokens: Tensor, bonds: Tensor) -> Tensor:
        """From tokens, long `(n, l)`, and kinds of bonds `(n, l, l)` to values `(n,)`."""
        states = self.embedding(tokens)
        there = bonds.any(dim=2) | self.is_atom[tokens]
        last = int(there.any(dim=0).nonzero().max()) + 1 if bool(there.any()) else 1
        states, bonds, there = states[:, :last], bonds[:, :last, :last], there[:, :last]
        kinds = torch.stack([bonds == kind for kind in _KINDS], dim=1).to(states.dtype)
        for layer in self.layers:
            states = layer(states, kinds)
        each = self.head(states) * there[..., None]
        counts = there.sum(dim=1).clamp(min=1)
        values: Tensor = each[..., 0].sum(dim=1) / 10 + each[..., 1].sum(dim=1) / counts + self.middle
        return values


class _Messages(nn.Module):
    """One round of messages.

    Args:
        width: Length of an atom's state.
        dropout: Share of the result set to 0 while training.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.said = nn.Linear(width, width * len(_KINDS), bias=False)
        maps = nn.Linear(2 * width, width, bias=False), nn.Linear(width, width, bias=False)
        self.heard = nn.Sequential(maps[0], nn.GELU(), nn.Dropout(dropout), maps[1])

    def forward(self, states: Tensor, kinds: Tensor) -> Tensor:
        """From states `(n, l, width)` and which atoms are bound by each kind `(n, kinds, l, l)` to states of the same shape."""
        said = self.said(states).unflatten(2, (len(_KINDS), -1)).transpose(1, 2)
        heard = (kinds @ said).sum(dim=1)
        answer: Tensor = states + self.heard(torch.cat([states, heard], dim=2))
        return answer
