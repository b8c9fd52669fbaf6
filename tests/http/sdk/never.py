"""The fields of the SDK's answers that are never filled here, with the reason of each."""

NEW = "an endpoint that was just made has sent nothing"
SINGLE = "only 1 and null are taken: tiers and volumes count single units"
NEVER = {
    **{
        f"CreatedWebhookEndpoint.{name}": NEW
        for name in ("disabled_reason", "last_failure_at", "last_success_at", "paused_until")
    },
    **{
        f"{model}.block_size": SINGLE
        for model in (
            "TieredPlanPricing",
            "TieredPricing",
            "VolumePlanPricing",
            "VolumePricing",
        )
    },
    "Customer.connected_account_id": "there are no connected accounts",
    "Invoice.child_invoice_id": "members of an invoice name it, in a field of ours",
    "Invoice.parent_invoice_id": "members of an invoice name it, in a field of ours",
    "Invoice.reference": "nothing that can be said of an invoice is its reference",
    "Invoice.einvoicing_status": "electronic invoices are not sent",
    "MetricSummary.archived_at": "lists of metrics are of unarchived ones",
}
"""Field of a model -> why no answer fills it; may only shrink."""
