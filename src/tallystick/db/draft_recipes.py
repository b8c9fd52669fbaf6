"""Drafts that bill usage: what they are made of, and how they are made again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db import coupon_redemptions
from tallystick.db.checkout_facts import CUSTOMER_JSON, ENTITY_JSON, load_product_taxes
from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.invoice_writes import BREAKDOWN, COUPONS, LINE_COLUMNS, SELLER, line_row
from tallystick.db.invoice_writes import CUSTOMER as SNAPSHOT
from tallystick.domain.bill import Bill
from tallystick.domain.invoice import CustomerSnapshot, InvoiceLine, SellerSnapshot
from tallystick.domain.parties import Customer, InvoicingEntity
from tallystick.domain.quote import ProductTax
from tallystick.domain.renewal import Recipe, UsedCoupon

RECIPE: Codec[Recipe] = Codec(Recipe)
CUSTOMER: Codec[Customer] = Codec(Customer)
ENTITY: Codec[InvoicingEntity] = Codec(InvoicingEntity)

_LOAD = f"""
    select i.id, i.recipe, {CUSTOMER_JSON} as customer, {ENTITY_JSON} as entity
    from invoices i
    join customers c on c.tenant_id = i.tenant_id and c.id = i.customer_id
    join invoicing_entities e
      on e.tenant_id = i.tenant_id and e.id = i.invoicing_entity_id
    where i.tenant_id = $1 and i.id = any($2) and i.recipe is not null
    order by i.id
"""

_PARTIES = f"""
    select {CUSTOMER_JSON} as customer, {ENTITY_JSON} as entity
    from invoices i
    join customers c on c.tenant_id = i.tenant_id and c.id = i.customer_id
    join invoicing_entities e
      on e.tenant_id = i.tenant_id and e.id = i.invoicing_entity_id
    where i.tenant_id = $1 and i.id = $2
"""

_UPDATE = """
    update invoices
    set subtotal = $3, subtotal_recurring = $4, discount = $5, tax_amount = $6, total = $7,
        amount_due = greatest($7::bigint, 0), coupons = $8, tax_breakdown = $9,
        customer_details = $10, seller_details = $11, updated_at = $12,
        recipe = coalesce($13, recipe)
    where tenant_id = $1 and id = $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeFacts:
    """A draft's recipe, with the parties and taxes that its bill depends on."""

    invoice_id: UUID
    recipe: Recipe
    customer: Customer
    entity: InvoicingEntity
    product_taxes: Mapping[UUID, ProductTax]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A draft made again; `before` and `used` are its coupons' shares, then and now.

    `customer` and `seller` are the parties whose facts the tax was decided by. `recipe` is what
    it is made of now, None for a draft that has none.
    """

    invoice_id: UUID
    customer: CustomerSnapshot
    seller: SellerSnapshot
    made: Bill
    lines: tuple[InvoiceLine, ...]
    line_ids: tuple[UUID, ...]
    subtotal_recurring: int
    before: tuple[UsedCoupon, ...]
    used: tuple[UsedCoupon, ...]
    recipe: Recipe | None = None


async def load(tx: Tx, tenant_id: UUID, invoice_ids: Sequence[UUID]) -> list[RecipeFacts]:
    """The recipes of those drafts that bill usage."""
    rows = await tx.fetch(_LOAD, tenant_id, invoice_ids)
    recipes = [RECIPE.load(row["recipe"]) for row in rows]
    products = {
        product_id
        for recipe in recipes
        for product_id in (
            *(charge.product_id for charge in recipe.charges),
            *(meter.item.product_id for meter in recipe.meters),
        )
    }
    taxes = await load_product_taxes(tx, tenant_id, list(products)) if products else {}
    return [
        RecipeFacts(
            invoice_id=row["id"],
            recipe=recipe,
            customer=CUSTOMER.load(row["customer"]),
            entity=ENTITY.load(row["entity"]),
            product_taxes=taxes,
        )
        for row, recipe in zip(rows, recipes, strict=True)
    ]


async def load_parties(
    tx: Tx, tenant_id: UUID, invoice_id: UUID
) -> tuple[Customer, InvoicingEntity]:
    """Customer and seller of an invoice as they are now."""
    row = await tx.fetchrow(_PARTIES, tenant_id, invoice_id)
    assert row is not None, "an invoice has its parties"
    return CUSTOMER.load(row["customer"]), ENTITY.load(row["entity"])


async def rewrite(
    tx: Tx, tenant_id: UUID, rewritten: Sequence[Rewritten], now: datetime
) -> None:
    """Replace the lines and sums of drafts, and correct what their coupons took off."""
    if not rewritten:
        return
    await tx.execute(
        "delete from invoice_lines where tenant_id = $1 and invoice_id = any($2)",
        tenant_id,
        [one.invoice_id for one in rewritten],
    )
    await tx.copy_records_to_table(
        "invoice_lines",
        columns=LINE_COLUMNS,
        records=[
            line_row(tenant_id, one.invoice_id, position, line_id, line)
            for one in rewritten
            for position, (line_id, line) in enumerate(
                zip(one.line_ids, one.lines, strict=True)
            )
        ],
    )
    await tx.executemany(_UPDATE, [_row(tenant_id, one, now) for one in rewritten])
    changes = [change for one in rewritten for change in _coupon_changes(one)]
    await coupon_redemptions.count_uses(tx, tenant_id, changes, now)


async def delete_empty(tx: Tx, tenant_id: UUID, invoice_ids: Sequence[UUID]) -> None:
    """Nothing was used and nothing else is billed: no lines, no invoice."""
    await tx.execute(
        "delete from invoices where tenant_id = $1 and id = any($2) and status = 'DRAFT'",
        tenant_id,
        invoice_ids,
    )


def _row(tenant_id: UUID, one: Rewritten, now: datetime) -> tuple[object, ...]:
    made = one.made
    return (
        tenant_id,
        one.invoice_id,
        made.subtotal,
        one.subtotal_recurring,
        made.discount,
        made.tax,
        made.total,
        COUPONS.dump(made.coupons_net),
        BREAKDOWN.dump(made.breakdown),
        SNAPSHOT.dump(one.customer),
        SELLER.dump(one.seller),
        now,
        RECIPE.dump_optional(one.recipe),
    )


def _coupon_changes(one: Rewritten) -> list[coupon_redemptions.Use]:
    """Redemption, how many more uses, and how much more it took off."""
    before = {used.redemption_id: used.amount for used in one.before}
    now = {used.redemption_id: used.amount for used in one.used}
    return [
        (
            redemption_id,
            (redemption_id in now) - (redemption_id in before),
            now.get(redemption_id, 0) - before.get(redemption_id, 0),
        )
        for redemption_id in sorted({*before, *now})
    ]
