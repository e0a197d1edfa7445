"""Whether a U-Net fits the pictures."""

from glassbench.errors import SettingsError
from glassbench_plugins.generation.conditional import PictureSize


def checked_widths(widths: tuple[int, ...], size: PictureSize) -> None:
    """Refuse a U-Net that halves pictures until nothing is left.

    Raises:
        SettingsError: It has no width, or too many.
    """
    if not widths or min(size.height, size.width) < 2 ** (len(widths) - 1):
        got = f"{len(widths)} widths for {size.height} x {size.width} pixels"
        raise SettingsError(
            "each width but the first halves the image, of which a pixel must remain", got=got, where="model.widths"
        )
