"""Everything that a checkout depends on, in one statement: parties, balance, coupons, taxes.

Each fragment yields JSON in the shape of the domain value it is decoded into, so that a
checkout is created with one read and one write, however many things its request names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Row, Tx
from tallystick.domain.catalog import AddOn, Product
from tallystick.domain.coupons import CouponState, CouponTerms
from tallystick.domain.parties import Customer, InvoicingEntity
from tallystick.domain.pricing import Price
from tallystick.domain.quote import ProductTax


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponFact:
    """A coupon as stored: its terms, and whether it may be redeemed."""

    terms: CouponTerms
    state: CouponState


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyFacts:
    """What every quote of a checkout reads anew."""

    customer: Customer
    entity: InvoicingEntity
    balance_available: int
    trial_used: bool
    coupons: Mapping[UUID, CouponFact]
    product_taxes: Mapping[UUID, ProductTax]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """The plan behind the wanted version, as it stands now."""

    plan_id: UUID
    name: str
    is_archived: bool
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a place for the plan: a subscription, or a session that is being paid."""

    held_by: Literal["SUBSCRIPTION", "ATTEMPT"]
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationFacts:
    """What creating a session reads; `parties` or `plan` is None where the tenant has none."""

    parties: PartyFacts | None
    plan: PlanFacts | None
    coupons: Mapping[UUID, CouponFact]
    add_ons: Mapping[UUID, AddOn]
    products: Mapping[UUID, Product]
    prices: Mapping[UUID, Price]
    metric_ids: frozenset[UUID]
    holders: tuple[Holder, ...]


CUSTOMER_JSON = """
    jsonb_build_object(
        'id', c.id, 'name', c.name, 'alias', c.alias, 'email', c.billing_email,
        'address', coalesce(c.billing_address, '{}'), 'vat_number', c.vat_number,
        'is_tax_exempt', c.is_tax_exempt, 'exemption_reason', c.exemption_reason,
        'custom_taxes', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'name', t ->> 'name', 'rate', t ->> 'rate', 'code', t ->> 'tax_code')), '[]')
            from jsonb_array_elements(c.custom_taxes) t),
        'locales', to_jsonb(c.preferred_locales), 'is_archived', c.archived_at is not null)
"""

ENTITY_JSON = """
    jsonb_build_object(
        'id', e.id, 'legal_name', e.legal_name, 'address', e.address,
        'vat_number', e.vat_number, 'creditor_identifier', e.creditor_identifier,
        'logo_url', e.logo_url, 'brand_color', e.brand_color, 'email', e.email,
        'registration', e.registration, 'tax_engine', e.tax_engine,
        'below_vat_threshold', e.below_vat_threshold, 'net_terms', e.net_terms,
        'number_pattern', e.number_pattern,
        'default_payment', e.default_payment_config,
        'bank_accounts', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'id', b.id, 'holder', b.holder, 'iban', b.iban, 'bic', b.bic,
                'bank_name', b.bank_name, 'account_number', b.account_number)
                order by b.created_at, b.id), '[]')
            from bank_accounts b
            where b.tenant_id = e.tenant_id and b.invoicing_entity_id = e.id))
"""

_BALANCE = """
    coalesce((
        select b.balance - b.held from customer_balances b where b.tenant_id = c.tenant_id and
        b.customer_id = c.id and b.currency = {currency}), 0)
"""

_TRIAL_USED = """
    (exists (
        select from subscriptions s
        where s.tenant_id = c.tenant_id and s.customer_id = c.id and s.plan_id = {plan}
          and s.trial_duration is not null)
     or exists (
        select from payment_attempts t
        join checkout_sessions o on o.tenant_id = t.tenant_id and o.id = t.session_id
        where t.tenant_id = c.tenant_id and t.customer_id = c.id and t.state = 'LIVE'
          and o.plan_id = {plan} and o.id is distinct from {session}
          and t.obligation #>> '{{quote,dates,trial_days}}' is not null))
"""

_COUPONS = """
    (select coalesce(jsonb_agg(jsonb_build_object(
        'terms', jsonb_build_object(
            'id', k.id, 'code', k.code, 'discount', k.discount,
            'recurring_value', k.recurring_value, 'once_per_customer', not k.reusable),
        'state', jsonb_build_object(
            'expires_at', k.expires_at, 'disabled', k.disabled,
            'archived', k.archived_at is not null, 'redemption_limit', k.redemption_limit,
            'taken', k.taken,
            'plan_ids', (
                select coalesce(jsonb_agg(p.plan_id), '[]') from coupon_plans p
                where p.tenant_id = k.tenant_id and p.coupon_id = k.id),
            'used_by_customer', exists (
                select from coupon_redemptions r
                where r.tenant_id = k.tenant_id and r.coupon_id = k.id
                  and r.customer_id = c.id)))), '[]')
     from coupons k where k.tenant_id = {tenant} and ({which}))
"""

_TAXES = """
    (select coalesce(jsonb_object_agg(p.id, jsonb_build_object(
        'rules', p.taxes, 'vat_class', p.vat_class)), '{{}}')
     from products p
     where p.tenant_id = {tenant} and p.id = any({products})
       and (p.taxes <> '[]' or p.vat_class <> 'STANDARD'))
"""

_PRODUCT = """
    jsonb_build_object(
        'id', p.id, 'product_family_id', p.product_family_id, 'name', p.name,
        'fee', p.fee_structure, 'in_catalog', p.in_catalog, 'description', p.description,
        'archived_at', p.archived_at)
"""

_PRICE = """
    jsonb_build_object(
        'id', r.id, 'product_id', r.product_id, 'cadence', r.cadence, 'currency', r.currency,
        'pricing', r.pricing)
"""

_QUOTE = f"""
    select {CUSTOMER_JSON} as customer, {ENTITY_JSON} as entity,
           {_BALANCE.format(currency="$4")} as balance,
           {_TRIAL_USED.format(plan="$3", session="$8")} as trial_used,
           {_COUPONS.format(tenant="$1", which="k.id = any($5)")} as coupons,
           {_TAXES.format(tenant="$1", products="$6::uuid[]")} as taxes
    from customers c
    join invoicing_entities e on e.tenant_id = c.tenant_id and e.id = $7
    where c.tenant_id = $1 and c.id = $2
"""

_PRODUCT_TAXES = f"select {_TAXES.format(tenant='$1', products='$2::uuid[]')}"

_CREATION = f"""
    with version as (
        select v.id, v.plan_id, v.currency, p.name, p.archived_at is not null as is_archived
        from plan_versions v join plans p on p.tenant_id = v.tenant_id and p.id = v.plan_id
        where v.tenant_id = $1 and v.id = $4),
    c as (
        select * from customers
        where tenant_id = $1 and (id = $2 or (alias = $3 and archived_at is null))
        order by (id = $2) desc nulls last limit 1)
    select
        (select jsonb_build_object('plan_id', plan_id, 'name', name,
                                   'is_archived', is_archived, 'currency', currency)
         from version) as plan,
        (select {CUSTOMER_JSON} from c) as customer,
        (select {ENTITY_JSON} from c join invoicing_entities e
            on e.tenant_id = c.tenant_id and e.id = c.invoicing_entity_id) as entity,
        (select {_BALANCE.format(currency="(select currency from version)")} from c) as balance,
        (select {
    _TRIAL_USED.format(plan="(select plan_id from version)", session="null::uuid")
} from c) as trial_used,
        (select {
    _COUPONS.format(
        tenant="$1", which="k.id = any($6) or (k.code = any($7) and k.archived_at is null)"
    )
}
         from (select (select id from c) as id) c) as coupons,
        {
    _TAXES.format(
        tenant="$1",
        products='''array(
            select m.product_id from plan_components m
            where m.tenant_id = $1 and m.plan_version_id = $4
            union select a.product_id from add_ons a where a.tenant_id = $1 and a.id = any($5)
            union select unnest($9::uuid[]))''',
    )
} as taxes,
        (select coalesce(jsonb_agg(jsonb_build_object(
            'id', a.id, 'name', a.name, 'max_instances', a.max_instances_per_subscription,
            'self_serviceable', a.self_serviceable, 'archived_at', a.archived_at,
            'product', {_PRODUCT}, 'price', {_PRICE})), '[]')
         from add_ons a
         join products p on p.tenant_id = a.tenant_id and p.id = a.product_id
         join prices r on r.tenant_id = a.tenant_id and r.id = a.price_id
         where a.tenant_id = $1 and a.id = any($5)) as add_ons,
        (select coalesce(jsonb_agg({_PRICE}), '[]') from prices r
         where r.tenant_id = $1 and r.id = any($8)) as prices,
        (select coalesce(jsonb_agg({_PRODUCT}), '[]') from products p
         where p.tenant_id = $1 and p.id = any($9)) as products,
        array(select m.id from metrics m
              where m.tenant_id = $1 and m.id = any($10) and m.archived_at is null) as metrics,
        array(select pl.held_by || ':' || coalesce(
                  (select t.session_id from payment_attempts t
                   where pl.held_by = 'ATTEMPT' and t.tenant_id = $1 and t.id = pl.holder),
                  pl.holder)
              from plan_places pl
              where pl.tenant_id = $1 and pl.customer_id = (select id from c)
                and pl.plan_id = (select plan_id from version)
              order by pl.place) as holders
"""

_CUSTOMER_CODEC: Codec[Customer] = Codec(Customer)
_ENTITY_CODEC: Codec[InvoicingEntity] = Codec(InvoicingEntity)
_COUPONS_CODEC: Codec[tuple[CouponFact, ...]] = Codec(tuple[CouponFact, ...])
_TAXES_CODEC: Codec[dict[UUID, ProductTax]] = Codec(dict[UUID, ProductTax])
_PLAN_CODEC: Codec[PlanFacts] = Codec(PlanFacts)
_ADD_ONS_CODEC: Codec[tuple[AddOn, ...]] = Codec(tuple[AddOn, ...])
_PRICES_CODEC: Codec[tuple[Price, ...]] = Codec(tuple[Price, ...])
_PRODUCTS_CODEC: Codec[tuple[Product, ...]] = Codec(tuple[Product, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The catalog objects that a request names, to be read in one go."""

    add_on_ids: Sequence[UUID]
    coupon_ids: Sequence[UUID]
    coupon_codes: Sequence[str]
    price_ids: Sequence[UUID]
    product_ids: Sequence[UUID]
    metric_ids: Sequence[UUID]


async def load_for_creation(
    tx: Tx,
    tenant_id: UUID,
    customer_id: UUID | None,
    alias: str | None,
    plan_version_id: UUID,
    named: Named,
) -> CreationFacts:
    """Everything that creating a session depends on, in one statement.

    The customer is found by id or, failing that, by alias among the unarchived.
    """
    row = await tx.fetchrow(
        _CREATION,
        tenant_id,
        customer_id,
        alias,
        plan_version_id,
        named.add_on_ids,
        named.coupon_ids,
        named.coupon_codes,
        named.price_ids,
        named.product_ids,
        named.metric_ids,
    )
    assert row is not None, "a select without from yields one row"
    parties = None if row["customer"] is None else _parties(row)
    return CreationFacts(
        parties=parties,
        coupons=_coupons(row) if parties is None else parties.coupons,
        plan=_PLAN_CODEC.load_optional(row["plan"]),
        add_ons={one.id: one for one in _ADD_ONS_CODEC.load(row["add_ons"])},
        products={one.id: one for one in _PRODUCTS_CODEC.load(row["products"])},
        prices={one.id: one for one in _PRICES_CODEC.load(row["prices"])},
        metric_ids=frozenset(row["metrics"]),
        holders=tuple(_holder(text) for text in row["holders"]),
    )


async def load_for_quote(
    tx: Tx,
    tenant_id: UUID,
    customer_id: UUID,
    entity_id: UUID,
    plan_id: UUID,
    currency: str,
    coupon_ids: Sequence[UUID],
    product_ids: Sequence[UUID],
    session_id: UUID,
) -> PartyFacts:
    """What a quote of an existing session depends on, in one statement.

    A trial counts as used, too, while another session of the customer is being paid with it.
    """
    row = await tx.fetchrow(
        _QUOTE,
        tenant_id,
        customer_id,
        plan_id,
        currency,
        coupon_ids,
        product_ids,
        entity_id,
        session_id,
    )
    assert row is not None, "a session's customer and entity exist"
    return _parties(row)


async def load_product_taxes(
    tx: Tx, tenant_id: UUID, product_ids: Sequence[UUID]
) -> Mapping[UUID, ProductTax]:
    """The tax settings of those products that have any of their own."""
    text = await tx.fetchval(_PRODUCT_TAXES, tenant_id, product_ids)
    return _TAXES_CODEC.load(text)


def _holder(text: str) -> Holder:
    held_by, _, name = text.partition(":")
    return Holder(held_by="ATTEMPT" if held_by == "ATTEMPT" else "SUBSCRIPTION", id=UUID(name))


def _coupons(row: Row) -> dict[UUID, CouponFact]:
    return {one.terms.id: one for one in _COUPONS_CODEC.load(row["coupons"])}


def _parties(row: Row) -> PartyFacts:
    return PartyFacts(
        customer=_CUSTOMER_CODEC.load(row["customer"]),
        entity=_ENTITY_CODEC.load(row["entity"]),
        balance_available=row["balance"] or 0,
        trial_used=bool(row["trial_used"]),
        coupons=_coupons(row),
        product_taxes=_TAXES_CODEC.load(row["taxes"]),
    )
