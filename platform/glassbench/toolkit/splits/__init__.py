"""Which rows are learnt from and which are judged, and what rows hang together."""
