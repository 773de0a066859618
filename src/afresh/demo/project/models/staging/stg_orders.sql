select
    id as order_id,
    customer_id,
    status,
    {{ cents_to_dollars('total_cents') }} as total,
    ordered_at,
    cast(ordered_at as date) as ordered_on,
    updated_at
from {{ source('shop', 'orders') }}
