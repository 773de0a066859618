select
    products.product_id,
    products.product_name,
    products.category,
    products.price,
    coalesce(sum(lines.quantity), 0) as units_sold
from {{ ref('stg_products') }} as products
left join {{ ref('fct_order_lines') }} as lines on products.product_id = lines.product_id
group by all
