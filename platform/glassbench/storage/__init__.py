"""Files read and written safely: whole or not at all, plain files alone, data files by their format."""
