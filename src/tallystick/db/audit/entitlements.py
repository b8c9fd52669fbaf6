"""What must hold of features and what is granted of them."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

ENTITLEMENT_RULES = (
    Rule(
        name="entitlement-of-its-feature",
        holds="What is granted of a setting is of the kind that its feature says, and among "
        "its options",
        kind=Prefix.ENTITLEMENT,
        query="""
            select e.tenant_id, e.id,
                   format('%s of the feature %s, whose values are %s', e.value -> 'value',
                       f.code, f.value_type) as about
            from entitlements e
            join features f on f.tenant_id = e.tenant_id and f.id = e.feature_id
            where e.value ->> 'type' is distinct from f.feature_type
               or (f.feature_type = 'CONFIG' and (
                   e.value #>> '{value,kind}' is distinct from case f.value_type
                       when 'MAP' then 'JSON' when 'SELECT' then 'TEXT' else f.value_type end
                   or (f.value_type = 'SELECT'
                       and not e.value #>> '{value,value}' = any(f.options))
                   or (f.value_type = 'MAP'
                       and jsonb_typeof(e.value #> '{value,value}') <> 'object')))
        """,
    ),
    Rule(
        name="entitlement-limit",
        holds="A limit is not below zero, and an interval is at least one",
        kind=Prefix.ENTITLEMENT,
        query="""
            select tenant_id, id, format('%s', value) as about from entitlements
            where value ->> 'type' = 'METERED'
              and ((value ->> 'limit')::numeric < 0
                   or (value #>> '{reset_period,interval}')::bigint < 1)
        """,
    ),
)
