select
    ordered_on,
    count(*) as orders,
    count(distinct customer_id) as customers,
    sum(total) as sales
from {{ ref('fct_orders') }}
where status <> 'returned'
group by ordered_on
