select
    product_id,
    product_name,
    category,
    sum(quantity) as units,
    sum(revenue) as revenue
from {{ ref('fct_order_lines') }}
group by product_id, product_name, category
order by revenue desc, product_id
limit 10
