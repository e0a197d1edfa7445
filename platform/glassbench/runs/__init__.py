"""Run folders: layout, status, seals, artifacts, provenance, the verdict's form, the index over all of them."""
