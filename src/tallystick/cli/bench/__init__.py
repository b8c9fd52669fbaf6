"""The benchmark: what PostgreSQL can do at most, and what the product makes of it."""
