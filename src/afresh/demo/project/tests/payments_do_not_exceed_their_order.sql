select
    orders.order_id,
    orders.total,
    payments.paid
from {{ ref('fct_orders') }} as orders
inner join {{ ref('int_order_payments') }} as payments on orders.order_id = payments.order_id
where payments.paid > orders.total
