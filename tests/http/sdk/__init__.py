"""The official SDK: every operation of it, and every field of its models."""
