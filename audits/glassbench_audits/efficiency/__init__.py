"""What the model costs: size, work, memory, time and electricity."""
