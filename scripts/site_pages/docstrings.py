"""Reads docstrings as this project writes them: a section `Example:` holds code."""

from typing import Any

from griffe import Extension, Object


class Examples(Extension):
    """Renames the section, so that what is in it is set as code."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called for each object that is documented."""
        if obj.docstring is not None:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
