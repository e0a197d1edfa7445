"""Which training rows decisions rest on, and which the model could not make fit."""
