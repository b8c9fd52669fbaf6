"""What the documents of invoices and credit notes are made of."""

from uuid import UUID

from tallystick.db import credit_notes, invoices
from tallystick.db.checkout_facts import ENTITY_JSON
from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.document_facts import (
    CreditNoteDocument,
    DocumentFacts,
    InvoiceDocument,
)

_FACTS: Codec[DocumentFacts] = Codec(DocumentFacts)

# A consolidated invoice is paid as the first of its members.
_LOAD = f"""
    select json_build_object('locales', to_jsonb(c.preferred_locales),
        'buyer_reference', c.buyer_reference, 'legal_number', c.legal_number,
        'entity', {ENTITY_JSON},
        'payment', coalesce(s.payment_methods_config, e.default_payment_config),
        'is_charged', coalesce(s.charge_automatically, false),
        'explanations', coalesce((
            select json_object_agg(line.id, line.computation) from invoice_lines line
            where line.tenant_id = i.tenant_id and line.invoice_id = i.id), '{{}}'))
    from invoices i
    join customers c on c.tenant_id = i.tenant_id and c.id = i.customer_id
    join invoicing_entities e
      on e.tenant_id = i.tenant_id and e.id = i.invoicing_entity_id
    left join subscriptions s on s.tenant_id = i.tenant_id and s.id = coalesce(
        i.subscription_id, (
            select m.subscription_id from invoices m
            where m.tenant_id = i.tenant_id and m.consolidated_into_invoice_id = i.id
            order by m.created_at, m.id limit 1))
    where i.tenant_id = $1 and i.id = $2
"""


async def of_invoice(
    tx: Tx, tenant_id: UUID, invoice_id: UUID, time_zone: str
) -> InvoiceDocument | None:
    """The invoice as its document shows it, or None where this tenant has none."""
    found = await invoices.load(tx, tenant_id, invoice_id)
    if found is None:
        return None
    facts = await _facts(tx, tenant_id, invoice_id)
    return InvoiceDocument(invoice=found, facts=facts, time_zone=time_zone)


async def of_credit_note(
    tx: Tx, tenant_id: UUID, note_id: UUID, time_zone: str
) -> CreditNoteDocument | None:
    """The credit note as its document shows it, or None where this tenant has none."""
    note = await credit_notes.load(tx, tenant_id, note_id)
    if note is None:
        return None
    credited = await invoices.load(tx, tenant_id, note.invoice_id)
    assert credited is not None, "a note credits an invoice"
    facts = await _facts(tx, tenant_id, note.invoice_id)
    return CreditNoteDocument(note=note, invoice=credited, facts=facts, time_zone=time_zone)


async def _facts(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> DocumentFacts:
    return _FACTS.load(await tx.fetchval(_LOAD, tenant_id, invoice_id))
