"""REST: one module per resource, schemas on top."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
"""Every resource, in the order in which the API's document lists them."""
