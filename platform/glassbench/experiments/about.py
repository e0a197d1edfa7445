"""What people say of a run that no audit can find out: what it is for, who answers for it, where it must not be used."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from glassbench.printable import one_line


def _said(text: str) -> str:
    """Return a text on one printable line, control characters written as their escapes.

    Raises:
        ValueError: The text is blank.
    """
    line = one_line(text)
    if not line:
        raise ValueError("a text that says something, or leave the key out")
    return line


def _several(content: Any) -> Any:
    return (content,) if isinstance(content, str) else content


Said = Annotated[str, Field(max_length=5000), AfterValidator(_said)]
"""A text of up to 5,000 characters that a person wrote, on one printable line."""


class About(BaseModel):
    """Texts for the report, the summary and the model card.

    Args:
        purpose: What the model is for, and whom it decides about.
        owner: Who answers for it.
        limits: Where it must not be used, and what it cannot do.
        contacts: Whom to ask or to complain to; one text or several.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: Said | None = None
    owner: Said | None = None
    limits: Said | None = None
    contacts: Annotated[tuple[Said, ...], BeforeValidator(_several), Field(max_length=20)] = ()

    @property
    def content(self) -> dict[str, Any]:
        """What was said, as plain values; what was not said is left out."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value}
