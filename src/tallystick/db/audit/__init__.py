"""The audit: every invariant of the data, stated a second time, as a query for its breaches.

The schema refuses what breaks a rule and the verbs never try; this finds what neither of them
could know, and what somebody did behind their backs. Each rule is about all tenants at once.
"""

from tallystick.db.audit.balances import BALANCE_RULES
from tallystick.db.audit.bank import BANK_RULES
from tallystick.db.audit.billing import BILLING_RULES
from tallystick.db.audit.catalog import CATALOG_RULES
from tallystick.db.audit.checkout import CHECKOUT_RULES
from tallystick.db.audit.credit_notes import CREDIT_NOTE_RULES
from tallystick.db.audit.customers import CUSTOMER_RULES
from tallystick.db.audit.entitlements import ENTITLEMENT_RULES
from tallystick.db.audit.explanations import EXPLANATION_RULES
from tallystick.db.audit.imports import IMPORT_RULES
from tallystick.db.audit.invoices import INVOICE_RULES
from tallystick.db.audit.lists import LIST_RULES
from tallystick.db.audit.lives import LIFE_RULES
from tallystick.db.audit.machinery import MACHINERY_RULES
from tallystick.db.audit.methods import METHOD_RULES
from tallystick.db.audit.providers import PROVIDER_RULES
from tallystick.db.audit.reversals import REVERSAL_NOTICES, REVERSAL_RULES
from tallystick.db.audit.slots import SLOT_RULES
from tallystick.db.audit.thresholds import THRESHOLD_RULES
from tallystick.db.audit.usage import USAGE_RULES
from tallystick.db.audit.webhooks import WEBHOOK_RULES

__all__ = ["NOTICES", "RULES"]

RULES = (
    *INVOICE_RULES,
    *CREDIT_NOTE_RULES,
    *REVERSAL_RULES,
    *EXPLANATION_RULES,
    *BALANCE_RULES,
    *CUSTOMER_RULES,
    *CHECKOUT_RULES,
    *LIFE_RULES,
    *SLOT_RULES,
    *BILLING_RULES,
    *BANK_RULES,
    *PROVIDER_RULES,
    *METHOD_RULES,
    *USAGE_RULES,
    *IMPORT_RULES,
    *THRESHOLD_RULES,
    *LIST_RULES,
    *CATALOG_RULES,
    *ENTITLEMENT_RULES,
    *WEBHOOK_RULES,
    *MACHINERY_RULES,
)

NOTICES = REVERSAL_NOTICES
"""What breaks nothing, and a person should know of."""
