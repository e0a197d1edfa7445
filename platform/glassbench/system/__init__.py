"""The process and the machine: state that plugins may change, memory, energy, child processes, the commit."""
