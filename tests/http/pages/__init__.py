"""The page of an invoice."""
