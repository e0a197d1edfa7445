"""What a model of images must know of its rows."""

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError, SettingsError


def image_size(schema: Schema, model: str) -> tuple[int, int, int, int]:
    """Return channels, height and width of an image, and the number of classes or labels.

    Args:
        schema: What the rows are.
        model: The model's name, for the message.

    Raises:
        FitError: The rows are no images of one size, or there are no classes or labels to decide.
    """
    shape = schema.shape
    if schema.modality != "image" or len(shape) != 3 or any(size is None for size in shape):
        got = f"{schema.modality} rows of shape {shape}"
        raise FitError(f"'{model}' needs images of one size", got=got, fix="choose a data set of images, or another model")
    if schema.target.kind not in ("class", "labels"):
        raise FitError(f"'{model}' decides classes or labels", got=f"a target of kind '{schema.target.kind}'")
    channels, height, width = (int(size or 0) for size in shape)
    return channels, height, width, schema.target.outputs


def patch_side(height: int, width: int, asked: int | None, *, aside: int) -> int:
    """Return the side of a patch, of which whole ones fill the image: the one asked for, or that which comes nearest to `aside`
    patches a side.

    Raises:
        SettingsError: Patches of the side asked for do not fill the image.
    """
    fitting = [side for side in range(1, min(height, width) + 1) if height % side == 0 and width % side == 0]
    if asked is None:
        return min(fitting[1:] or fitting, key=lambda side: abs(max(height, width) // side - aside))
    if asked not in fitting:
        raise SettingsError(
            "whole patches must fill the image",
            got=f"patches of {asked} pixels for {height} x {width}",
            available=[str(side) for side in fitting],
            where="model.patch",
        )
    return asked
