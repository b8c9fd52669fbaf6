"""What must hold of customers' balances and of coupons."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

BALANCE_RULES = (
    Rule(
        name="balance-entries",
        holds="A balance is the sum of its entries",
        kind=Prefix.CUSTOMER,
        query="""
            select tenant_id, customer_id as id, format('%s %s, entries of %s', b.balance,
                currency, coalesce(e.sum, 0)) as about
            from customer_balances b
            left join (
                select tenant_id, customer_id, currency, sum(amount) as sum
                from balance_entries group by tenant_id, customer_id, currency) e
              using (tenant_id, customer_id, currency)
            where b.balance <> coalesce(e.sum, 0)
        """,
    ),
    Rule(
        name="balance-holds",
        holds="What is held of a balance is what live attempts and tries to collect hold",
        kind=Prefix.CUSTOMER,
        query="""
            select tenant_id, customer_id as id, format('%s %s held, live payments hold %s',
                coalesce(b.held, 0), currency, coalesce(a.held, 0)) as about
            from customer_balances b
            full join (
                select tenant_id, customer_id, currency::text::currency_code as currency,
                       sum(balance_held) as held
                from (
                    select tenant_id, customer_id, currency, balance_held
                    from payment_attempts where state = 'LIVE' and balance_held > 0
                    union all
                    select tenant_id, customer_id, currency, balance_held
                    from collections where state = 'LIVE' and balance_held > 0) live
                group by tenant_id, customer_id, currency) a
              using (tenant_id, customer_id, currency)
            where coalesce(b.held, 0) <> coalesce(a.held, 0)
        """,
    ),
    Rule(
        name="balance-range",
        holds="Neither balance nor holds are below zero, and no more is held than there is",
        kind=Prefix.CUSTOMER,
        query="""
            select tenant_id, customer_id as id,
                   format('%s %s, %s of it held', balance, currency, held) as about
            from customer_balances where balance < 0 or held < 0 or held > balance
        """,
    ),
    Rule(
        name="coupon-taken",
        holds="What is taken of a coupon is its redemptions and reservations, within its limit",
        kind=Prefix.COUPON,
        query="""
            select c.tenant_id, c.id, format('%s taken, %s redemptions, limit %s', c.taken,
                coalesce(r.count, 0), coalesce(c.redemption_limit::text, 'none')) as about
            from coupons c
            left join (
                select tenant_id, coupon_id, count(*) from coupon_redemptions
                group by tenant_id, coupon_id) r
              on r.tenant_id = c.tenant_id and r.coupon_id = c.id
            where c.taken <> coalesce(r.count, 0) or c.taken > c.redemption_limit
        """,
    ),
    Rule(
        name="coupon-reservations",
        holds="Reservations belong to live attempts, redemptions to successful ones",
        kind=Prefix.APPLIED_COUPON,
        query="""
            select r.tenant_id, r.id,
                   format('%s for the attempt %s, which is %s', r.state, a.id, a.state) as about
            from coupon_redemptions r
            join payment_attempts a on a.tenant_id = r.tenant_id and a.id = r.attempt_id
            where (r.state, a.state) not in (('RESERVED', 'LIVE'), ('REDEEMED', 'SUCCEEDED'))
        """,
    ),
    Rule(
        name="coupon-once-per-customer",
        holds="A coupon that is not reusable is taken once by a customer",
        kind=Prefix.COUPON,
        query="""
            select tenant_id, coupon_id as id,
                   format('%s times by the customer %s', count(*), customer_id) as about
            from coupon_redemptions where once_per_customer
            group by tenant_id, coupon_id, customer_id having count(*) > 1
        """,
    ),
)
