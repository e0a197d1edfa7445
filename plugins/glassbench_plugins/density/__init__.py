"""How likely rows are."""
