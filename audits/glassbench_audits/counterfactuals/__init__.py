"""What would have to be different for a decision to be another."""
