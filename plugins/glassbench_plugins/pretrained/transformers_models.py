"""Networks of Hugging Face `transformers`: read from a folder or the hub, never running code that comes with them."""

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig
from transformers.utils import logging

from glassbench.errors import SettingsError
from glassbench_plugins.pretrained.source import Source

WHERE = "model.weights"
_LOGGING: Any = logging


def read_transformer(kind: Any, weights: str, *, spare: tuple[str, ...] = ()) -> Any:
    """Return the network of a folder or of the hub, float32.

    Args:
        kind: The library's class for it (`AutoModel`, `AutoModelForCausalLM`).
        weights: A folder with `config.json` and `model.safetensors`, or a name on the hub.
        spare: Beginnings of the names of weights that the file may lack, since they take no part.

    Raises:
        SettingsError: There is none, or it is none that can be read without running its code.
    """
    source = Source(name=weights, where=WHERE)
    folder = source.file("config.json").parent
    if not (folder / "model.safetensors.index.json").is_file():
        source.file("model.safetensors")
    shown = _LOGGING.is_progress_bar_enabled()
    _LOGGING.disable_progress_bar()
    try:
        config = _harmless(AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False))
        model, report = kind.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:  # a damaged file, an unknown kind of model, one that wants its own code
        got = f"{type(error).__name__}: {str(error).splitlines()[0]}"[:400]
        raise SettingsError("the network cannot be read", where=WHERE, got=got) from error
    finally:
        if shown:
            _LOGGING.enable_progress_bar()
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(spare or ("\0",)))
    if missing:
        problem = f"the file lacks {len(missing)} of the network's weights, {missing[0]} among them"
        raise SettingsError(problem, where=WHERE, got=weights, available=sorted(report["unexpected_keys"]))
    return model


def rebuilt_transformer(kind: Any, blueprint: Mapping[str, Any]) -> Any:
    """Return the network that a blueprint describes, its weights not yet those of the trained one; nothing else is read."""
    config = _harmless(AutoConfig.for_model(**{key: value for key, value in blueprint.items() if key != "auto_map"}))
    return kind.from_config(config, trust_remote_code=False)


def blueprint_of(network: Any) -> Mapping[str, Any]:
    """Return the configuration that `rebuilt_transformer` reads, JSON values."""
    found: dict[str, Any] = json.loads(network.config.to_json_string(use_diff=False))
    return found


def places(network: Any) -> int | None:
    """Return how many tokens have a place; RoBERTa and its relatives count places from behind that of padding."""
    most: int | None = getattr(network.config, "max_position_embeddings", None)
    words = network.get_input_embeddings()
    found = [module for module in network.modules() if isinstance(module, nn.Embedding) and module is not words]
    tables = [module for module in found if module.num_embeddings == most]
    offset = max((table.padding_idx + 1 for table in tables if table.padding_idx is not None), default=0)
    return None if most is None else most - offset


def _harmless(config: Any) -> Any:
    """Return a configuration that does not choose what computes attention: a name there may fetch code."""
    config._attn_implementation = None
    return config
