-- The catalog after it was made: what may still change of it, and what it is found by.

-- What a family can be found by beside its id.
alter table product_families add column alias text constraint alias_is_not_empty check (alias <> '');
with named as (
    select tenant_id, id, alias, row_number() over (
        partition by tenant_id, alias order by created_at, id) as place
    from (select tenant_id, id, created_at, nullif(trim(both '-' from
            regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g')), '') as alias
          from product_families) families)
update product_families family set alias = named.alias from named
where family.tenant_id = named.tenant_id and family.id = named.id and named.place = 1
  and named.alias is not null;
create unique index product_family_alias on product_families (tenant_id, alias) where alias is not null;

-- Which products are counted by a metric.
create index products_of_metric on products (tenant_id, (fee_structure ->> 'metric_id'))
    where fee_structure ->> 'metric_id' is not null;
-- Lists of one family, and metrics by their code.
create index products_of_family on products (tenant_id, product_family_id, created_at, id);
create index plans_of_family on plans (tenant_id, product_family_id, created_at, id);
create index metrics_of_family on metrics (tenant_id, product_family_id, created_at, id);
create index metrics_by_code on metrics (tenant_id, code, id);
-- Which plans sell an add-on.
create index plan_add_ons_of_add_on on plan_add_ons (tenant_id, add_on_id);

-- A plan that was archived by hand and says otherwise is archived.
update plans set status = 'ARCHIVED' where archived_at is not null and status <> 'ARCHIVED';
update plans plan set status = case when exists (
        select from plan_versions version
        where version.tenant_id = plan.tenant_id and version.plan_id = plan.id
          and version.published_at is not null) then 'ACTIVE' else 'DRAFT' end
    where archived_at is null and status = 'ARCHIVED';
alter table plans add constraint archived_says_so check ((status = 'ARCHIVED') = (archived_at is not null));

-- A price never changes, and neither does what it is the price of: the kind of the product's fee,
-- and how its metric counts. Segmentation is what reports tell apart; no price depends on it.
create function refuse_change_of_priced() returns trigger language plpgsql as $$
declare
    priced boolean;
begin
    if tg_table_name = 'products' then
        select exists (
            select from prices where tenant_id = old.tenant_id and product_id = old.id)
        into priced;
    else
        select exists (
            select from products product
            join prices price
                on price.tenant_id = product.tenant_id and price.product_id = product.id
            where product.tenant_id = old.tenant_id
              and product.fee_structure ->> 'metric_id' = old.id::text)
        into priced;
    end if;
    if priced then
        raise exception 'tallystick: how % are priced never changes once there is a price',
            tg_table_name using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;

create trigger priced_fee_is_fixed before update on products
    for each row when ((old.fee_type, old.fee_structure)
        is distinct from (new.fee_type, new.fee_structure))
    execute function refuse_change_of_priced();
create trigger priced_metric_is_fixed before update on metrics
    for each row when (
        (old.code, old.aggregation_type, old.aggregation_key, old.definition - 'segmentation')
        is distinct from
        (new.code, new.aggregation_type, new.aggregation_key, new.definition - 'segmentation'))
    execute function refuse_change_of_priced();
