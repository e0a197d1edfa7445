"""What a schema says about the sizes a network of molecules needs."""

from dataclasses import dataclass

from glassbench.contracts.facts import TextFacts
from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench_plugins.molecules.encoder import MOLECULE


@dataclass(frozen=True, kw_only=True)
class MoleculeSizes:
    """The sizes of a network of molecules.

    Args:
        tokens: How many tokens there are.
        padding: Number of the padding token.
        context: Tokens per row.
        atoms: Whether each token is an atom; the unknown one may be.
    """

    tokens: int
    padding: int
    context: int
    atoms: tuple[bool, ...]


def molecule_sizes(schema: Schema, model: str) -> MoleculeSizes:
    """Return the sizes that a schema asks for.

    Raises:
        FitError: The rows are no molecules, or what is to be predicted is no value.
    """
    facts = schema.facts_of(TextFacts)
    if facts is None or facts.piece != MOLECULE or schema.target.kind != "value":
        got = f"{schema.modality} rows with a target of kind '{schema.target.kind}'"
        fix = "choose the data set 'molecules' or 'solubility-rules', or another model"
        raise FitError(f"'{model}' predicts values of molecules", got=got, fix=fix)
    return MoleculeSizes(
        tokens=len(facts.vocabulary),
        padding=facts.padding,
        context=int(schema.shape[0] or 1),
        atoms=tuple(token[:1].isalpha() or token[:1] == "*" for token in facts.vocabulary),
    )
