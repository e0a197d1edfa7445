"""A run at work: its phases, what they share, one audit by itself, and who hears of it."""
