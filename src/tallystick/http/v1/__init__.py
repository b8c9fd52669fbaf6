"""REST: one module per resource, schemas on top."""

from fastapi import APIRouter

from tallystick.http.v1 import (
    add_ons,
    checkout_sessions,
    coupons,
    credit_notes,
    custom_properties,
    customers,
    events,
    invoices,
    invoicing_entities,
    metrics,
    mrr_movements,
    payment_methods,
    payments,
    plan_versions,
    plans,
    prices,
    product_families,
    products,
    subscriptions,
    test_clock,
    test_provider,
    usage,
)

ROUTERS: tuple[APIRouter, ...] = (
    checkout_sessions.router,
    customers.router,
    payment_methods.router,
    custom_properties.router,
    product_families.router,
    products.router,
    prices.router,
    metrics.router,
    events.router,
    usage.router,
    plans.router,
    plan_versions.router,
    add_ons.router,
    coupons.router,
    subscriptions.router,
    mrr_movements.router,
    invoices.router,
    credit_notes.router,
    payments.router,
    invoicing_entities.router,
    test_clock.router,
    test_provider.router,
)
"""Every resource, in the order in which the API's document lists them."""
