select
    date_trunc('month', orders.ordered_on) as month,
    sum(payments.paid) as paid,
    sum(payments.fees) as fees
from {{ ref('int_order_payments') }} as payments
inner join {{ ref('fct_orders') }} as orders on payments.order_id = orders.order_id
group by 1
