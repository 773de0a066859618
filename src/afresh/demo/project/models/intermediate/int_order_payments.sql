select
    payments.order_id,
    sum(payments.amount) as paid,
    cast(sum(payments.amount * methods.fee_percent / 100) as decimal(12, 2)) as fees
from {{ ref('stg_payments') }} as payments
inner join {{ ref('payment_methods') }} as methods on payments.payment_method = methods.payment_method
group by payments.order_id
