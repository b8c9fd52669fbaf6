"""Minimum commitments over the wire, by the reference's own client."""

from datetime import date

PLACEHOLDER = date
