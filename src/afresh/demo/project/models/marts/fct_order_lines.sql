select
    order_item_id,
    order_id,
    product_id,
    product_name,
    category,
    quantity,
    revenue
from {{ ref('int_order_lines') }}
