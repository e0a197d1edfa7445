"""The audit of exposure: which items are recommended, beside those that users choose."""
