select
    lines.product_id,
    lines.product_name,
    sum(lines.quantity) as units_returned,
    sum(lines.revenue) as refunded
from {{ ref('fct_order_lines') }} as lines
inner join {{ ref('stg_orders') }} as orders on lines.order_id = orders.order_id
where orders.status = 'returned'
group by lines.product_id, lines.product_name
