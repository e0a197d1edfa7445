"""What starts the runs of a study beyond processes of this machine: submitit (Slurm) and Ray."""
