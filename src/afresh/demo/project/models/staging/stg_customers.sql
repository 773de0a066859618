select
    id as customer_id,
    name as customer_name,
    country_code,
    signed_up_on
from {{ source('shop', 'customers') }}
