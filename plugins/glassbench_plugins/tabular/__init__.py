"""Tables: data sets, their encoding, and models for them."""
