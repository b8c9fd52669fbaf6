"""Tallystick: a self-hosted billing platform, from one request to a paid subscription."""
