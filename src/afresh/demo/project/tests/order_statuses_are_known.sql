-- An order is placed, then shipped; some come back.
select order_id, status
from {{ ref('stg_orders') }}
where status not in ('placed', 'shipped', 'returned')
