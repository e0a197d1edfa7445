"""A folder, a file or a name on the Hugging Face hub: where something that others trained is read from."""

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RemoteEntryNotFoundError

from glassbench.errors import SettingsError
from glassbench.storage.data_files import check_data_file

_HUB = "hf-hub:"
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".tar", ".h5")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where files are read from; what may carry code is never among them.

    Args:
        name: A folder, a file, or a name on the hub, which may start with `hf-hub:`.
        where: The setting it comes from, for messages.
    """

    name: str
    where: str

    @property
    def local(self) -> Path | None:
        """The folder or file, or None where there is none of that name on this machine."""
        path = Path(self.name).expanduser()
        return path if not self.name.startswith(_HUB) and path.exists() else None

    @property
    def hub(self) -> str:
        """The name on the hub."""
        return self.name.removeprefix(_HUB)

    def file(self, name: str) -> Path:
        """Return a file of it by name; from the hub it is downloaded once, and taken from the cache from then on.

        Raises:
            SettingsError: There is no such folder, file or name, or the file holds pickle, which may carry code.
            DataError: It is a device, a pipe or a folder, or too large.
        """
        found = self.optional(name)
        if found is None:
            raise self._lacks(name)
        return found

    def optional(self, name: str) -> Path | None:
        """Return a file of it by name, or None where it lacks that file."""
        local = self.local
        if local is None:
            return self._downloaded(name)
        found = local / name if local.is_dir() else local
        if found.suffix in _PICKLED:
            raise SettingsError("weights are read from safetensors alone", where=self.where, got=str(found), fix=_CONVERT)
        if not found.exists():
            return None
        check_data_file(found, self.where, whole=found.suffix == ".json")  # weights are mapped, not read whole
        return found

    def _lacks(self, name: str) -> SettingsError:
        if self.local is None:
            return SettingsError(f"the hub's '{self.hub}' has no {name}", where=self.where, got=self.name)
        folder = Path(self.name).expanduser()
        names = sorted(entry.name for entry in folder.iterdir())
        pickled = [entry for entry in names if entry.endswith(_PICKLED)] if name.endswith(".safetensors") else []
        if pickled:
            problem = "the folder holds weights as pickle alone, which may carry code and is never read"
            return SettingsError(problem, where=self.where, got=", ".join(pickled), fix=_CONVERT)
        return SettingsError(f"the folder lacks {name}", where=self.where, got=self.name, available=names)

    def _downloaded(self, name: str) -> Path | None:
        if self.name.startswith(("/", ".", "~")):
            raise SettingsError("there is no such folder or file", where=self.where, got=self.name)
        try:
            return _cached(self.hub, name)
        except RemoteEntryNotFoundError:
            return None
        except (HFValidationError, HfHubHTTPError, OSError) as error:
            raise SettingsError(
                f"there is no folder or file of this name here, and {name} cannot be had from the hub",
                where=self.where,
                got=f"{self.name}: {type(error).__name__}: {str(error).splitlines()[0]}"[:300],
                fix="name a local folder; a file that was downloaded once needs no network again",
            ) from error


def _cached(hub: str, name: str) -> Path | None:
    """Return a file of the hub, None where it has none; what was asked once is in the cache, and nothing is asked again."""
    known = try_to_load_from_cache(hub, name)
    if known is None:
        return Path(hf_hub_download(hub, name))
    return Path(known) if isinstance(known, str) else None


_CONVERT = "save the weights as safetensors (`save_pretrained`, `safetensors.torch.save_file`), where you trust their source"
