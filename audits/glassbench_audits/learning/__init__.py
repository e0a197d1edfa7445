"""How the training went, and what the gradients and the units of the network look like."""
