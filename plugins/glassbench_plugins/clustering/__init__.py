"""Groups of like rows, found without labels."""
