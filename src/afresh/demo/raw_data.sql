-- What the shop's own systems hold on the first day: the schema `raw`, the same rows every time.
create schema raw;

-- A number from 0 to below `bound` that looks random and is fixed by `seed` and `salt`.
create temporary macro pick(seed, salt, bound) as
    cast('0x' || substr(md5(concat_ws('/', seed, salt)), 1, 7) as integer) % bound;

create table raw.products as
select cast(row_number() over (order by category, name) as integer) as id, name, category, price_cents
from (
    values
        ('Assam, 100 g', 'tea', 690),
        ('Darjeeling first flush, 100 g', 'tea', 1490),
        ('Earl Grey, 100 g', 'tea', 790),
        ('Genmaicha, 100 g', 'tea', 850),
        ('Lapsang Souchong, 100 g', 'tea', 920),
        ('Rooibos, 100 g', 'tea', 540),
        ('Sencha, 100 g', 'tea', 1150),
        ('White peony, 50 g', 'tea', 1320),
        ('Espresso blend, 250 g', 'coffee', 890),
        ('Ethiopia Sidamo, 250 g', 'coffee', 1190),
        ('Guatemala Antigua, 250 g', 'coffee', 1090),
        ('House blend, 500 g', 'coffee', 1350),
        ('Decaf Colombia, 250 g', 'coffee', 1240),
        ('Cast-iron teapot', 'pots', 5900),
        ('French press', 'pots', 3450),
        ('Glass teapot', 'pots', 2800),
        ('Moka pot', 'pots', 2990),
        ('Espresso cup', 'cups', 850),
        ('Tall glass', 'cups', 690),
        ('Tea bowl', 'cups', 1600),
        ('Travel mug', 'cups', 2250),
        ('Bamboo whisk', 'tools', 1850),
        ('Hand grinder', 'tools', 7900),
        ('Scale', 'tools', 4200),
        ('Tea strainer', 'tools', 750)
) as product (name, category, price_cents);

create table raw.customers as
select
    cast(i as integer) as id,
    list_extract(
        ['Ada', 'Ben', 'Chidi', 'Dora', 'Emeka', 'Fumiko', 'Grace', 'Hanna', 'Ines', 'Jonas', 'Kavya', 'Luis', 'Mei', 'Noor'],
        cast(pick(i, 1, 14) + 1 as integer)
    ) || ' ' || list_extract(
        ['Adeyemi', 'Baker', 'Castro', 'Dubois', 'Evans', 'Fischer', 'Gupta', 'Hayashi', 'Ito', 'Kamau', 'Lopez', 'Martin', 'Nguyen'],
        cast(pick(i, 2, 13) + 1 as integer)
    ) as name,
    list_extract(
        ['AU', 'BR', 'CA', 'DE', 'DE', 'FR', 'GB', 'GB', 'IN', 'JP', 'KE', 'MX', 'NG', 'US', 'US', 'US'],
        cast(pick(i, 3, 16) + 1 as integer)
    ) as country_code,
    date '2025-01-01' + cast(pick(i, 4, 400) as integer) as signed_up_on
from range(1, 601) as customer (i);

-- An order every three hours, by loyal customers more often than by others.
create temporary table draft as
select
    cast(i as integer) as id,
    cast(least(pick(i, 5, 600), pick(i, 6, 600)) + 1 as integer) as customer_id,
    timestamp '2025-01-02 08:00:00' + to_hours(cast(i * 3 as integer)) + to_minutes(cast(pick(i, 7, 150) as integer)) as ordered_at,
    case when i > 3950 then 'placed' when pick(i, 8, 25) = 0 then 'returned' else 'shipped' end as status
from range(1, 4001) as new_order (i);

create table raw.order_items as
select
    cast(row_number() over (order by draft.id, line.n) as integer) as id,
    draft.id as order_id,
    products.id as product_id,
    cast(1 + pick(draft.id * 4 + line.n, 9, 3) as integer) as quantity,
    products.price_cents as unit_price_cents
from draft
inner join range(0, 3) as line (n) on line.n <= pick(draft.id, 10, 3)
inner join raw.products as products on products.id = 1 + pick(draft.id * 4 + line.n, 11, 25);

create table raw.orders as
select
    draft.id,
    draft.customer_id,
    draft.status,
    cast(sum(items.quantity * items.unit_price_cents) as integer) as total_cents,
    draft.ordered_at,
    draft.ordered_at + case draft.status
        when 'placed' then interval 0 hours
        when 'shipped' then to_hours(cast(12 + pick(draft.id, 12, 60) as integer))
        else interval 14 days
    end as updated_at
from draft
inner join raw.order_items as items on draft.id = items.order_id
group by draft.id, draft.customer_id, draft.status, draft.ordered_at
order by draft.id;

-- What is not packed yet has no items.
delete from raw.order_items where order_id in (select id from raw.orders where status = 'placed');

-- One order in ten is paid in two halves, the first of them with a voucher.
create table raw.payments as
select
    cast(row_number() over (order by orders.id, half.n) as integer) as id,
    orders.id as order_id,
    case
        when half.n = 1 then 'voucher'
        else list_extract(['card', 'card', 'transfer', 'wallet'], cast(pick(orders.id, 13, 4) + 1 as integer))
    end as payment_method,
    case
        when pick(orders.id, 14, 10) > 0 then orders.total_cents
        when half.n = 1 then orders.total_cents // 2
        else orders.total_cents - orders.total_cents // 2
    end as amount_cents,
    orders.ordered_at + interval 10 minutes as paid_at
from raw.orders as orders
inner join range(0, 2) as half (n) on half.n = 0 or pick(orders.id, 14, 10) = 0
where orders.status <> 'placed';
