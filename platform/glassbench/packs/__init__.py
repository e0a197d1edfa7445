"""Evidence that travels: one signed archive of what a run found, for reviewers, and its verification without a network."""

from glassbench.packs.packing import pack_run
from glassbench.packs.verification import PackCheck, verify_pack

__all__ = ["PackCheck", "pack_run", "verify_pack"]
