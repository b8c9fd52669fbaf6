"""What must hold of how the lines of invoices came about."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.currencies import EXPONENTS
from tallystick.domain.ids import Prefix

_USUAL = 2
_EXPONENT = " ".join(
    [
        "case i.currency",
        *(
            f"when '{code}' then {places}"
            for code, places in sorted(EXPONENTS.items())
            if places != _USUAL
        ),
        f"else {_USUAL} end",
    ]
)

# An amount that is the nearest whole one is at most half a unit from the exact value; both
# sides are multiplied, because a division would have to be cut somewhere.
EXPLANATION_RULES = (
    Rule(
        name="invoice-unexplained",
        holds="A line's amount, discount and taxes follow from the computation that it keeps",
        kind=Prefix.INVOICE,
        query=f"""
            with kept as (
                select l.tenant_id, l.invoice_id, l.name, l.amount, l.discount, l.tax,
                       l.amount_total, l.tax_rate, l.taxes, i.tax_inclusive,
                       (l.computation ->> 'quoted_amount')::numeric as quoted,
                       (l.computation ->> 'quoted_discount')::numeric as share,
                       nullif(l.computation -> 'usage', 'null') as usage,
                       coalesce((l.computation #>> '{{before,amount}}')::numeric, 0) as before,
                       (l.computation #>> '{{replaced,amount}}')::numeric as replaced,
                       coalesce((l.computation #>> '{{replaced,credit}}')::numeric, 0)
                           as given_back,
                       (l.computation #>> '{{computation,unit_price}}')::numeric
                           * 10 ^ ({_EXPONENT})::numeric
                           * (l.computation #>> '{{computation,units}}')::numeric
                           * (l.computation #>> '{{computation,instances}}')::numeric
                           * (l.computation #>> '{{computation,days}}')::numeric as price,
                       (l.computation #>> '{{computation,full_days}}')::numeric as full_days
                from invoice_lines l
                join invoices i on i.tenant_id = l.tenant_id and i.id = l.invoice_id)
            select tenant_id, invoice_id as id, format(
                '%s: its price by days is not the %s that is kept', name, quoted) as about
            from kept
            where usage is null and case
                -- A credit gives back at most the price: what it was discounted by is kept.
                when quoted < 0 and replaced is null
                    then (-quoted * full_days - price) * 2 > full_days
                else abs((quoted + given_back) * full_days - price) * 2 > full_days end
               or given_back not between 0 and coalesce(replaced, 0)
            union all
            select tenant_id, invoice_id, format(
                '%s: its usage comes to %s, %s is kept', name, usage ->> 'amount', quoted)
            from kept
            where usage is not null
              and ((usage ->> 'amount')::numeric - before
                       not between least(quoted, case when before > 0 and quoted <= 0
                                                      then -before else quoted end) and quoted
                   or (usage ->> 'amount')::numeric
                       <> (select coalesce(sum((part ->> 'amount')::numeric), 0)
                           from jsonb_array_elements(usage -> 'parts') part))
            union all
            select tenant_id, invoice_id, format(
                '%s: %s less %s as quoted is not %s less %s with %s of tax',
                name, quoted, share, amount, discount, tax)
            from kept
            where quoted - share <> case when tax_inclusive then amount_total
                                         else amount - discount end
               or not tax_inclusive and quoted <> amount
            union all
            select tenant_id, invoice_id, format('%s: %s of %s %%, %s in all, on %s', name,
                one ->> 'amount', (one #>> '{{rate,rate}}')::numeric * 100, tax,
                quoted - share)
            from kept
            cross join lateral jsonb_array_elements(taxes) one
            cross join lateral (select case when tax_inclusive then 1 + tax_rate else 1 end)
                as of (whole)
            where abs((one ->> 'amount')::numeric * whole
                      - (quoted - share) * (one #>> '{{rate,rate}}')::numeric) * 2 > whole
            union all
            select tenant_id, invoice_id, format('%s: its taxes do not sum to %s', name, tax)
            from kept
            where tax <> (select coalesce(sum((one ->> 'amount')::numeric), 0)
                          from jsonb_array_elements(taxes) one)
        """,
    ),
)
