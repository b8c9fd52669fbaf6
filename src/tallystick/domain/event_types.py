"""The types of events: the reference's, and ours.

Whoever listens may name any of them, also those that nothing here causes yet.
"""

REFERENCE_TYPES = (
    "metric.created",
    "customer.created",
    "subscription.created",
    "subscription.updated",
    "subscription.cancelled",
    "subscription.ended",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.voided",
    "invoice.closed",
    "invoice.consolidated",
    "invoice.deleted",
    "invoice.accounting_pdf_generated",
    "quote.accepted",
    "quote.converted",
    "credit_note.created",
    "credit_note.finalized",
    "credit_note.voided",
    "plan.created",
    "plan.published",
    "plan.archived",
    "product.created",
    "product.updated",
    "product.archived",
    "metric.updated",
    "metric.archived",
    "coupon.created",
    "coupon.updated",
    "coupon.archived",
    "addon.created",
    "addon.updated",
    "addon.archived",
    "refund.issued",
    "refund.settled",
    "refund.failed",
    "payment.reversed",
    "payment.failed",
)
"""Those of the reference, in its order."""

OWN_TYPES = (
    "checkout_session.created",
    "checkout_session.completed",
    "checkout_session.expired",
    "checkout_session.cancelled",
    "checkout_session.payment_failed",
    "payment.orphan_found",
    "payment.orphan_attached",
    "payment.orphan_refunded",
    "payment.reinstated",
    "invoice.marked_uncollectible",
    "invoice.due_soon",
    "invoice.overdue",
    "invoice.final_notice",
    "payment_method.expiring",
    "plan.updated",
    "feature.created",
    "feature.updated",
    "feature.archived",
    "feature.unarchived",
    "entitlement.created",
    "entitlement.updated",
    "entitlement.deleted",
)
"""Those that the reference does not have."""

EVENT_TYPES = frozenset({*REFERENCE_TYPES, *OWN_TYPES})
