"""What small changes of the inputs do to the decisions."""
