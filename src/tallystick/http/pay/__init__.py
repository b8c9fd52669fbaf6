"""The page of one invoice: seen, downloaded and paid behind its own link."""
