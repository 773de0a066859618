select
    category,
    count(distinct order_id) as orders,
    sum(quantity) as units,
    sum(revenue) as revenue
from {{ ref('fct_order_lines') }}
group by category
