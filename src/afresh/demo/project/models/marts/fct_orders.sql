{{ config(materialized='incremental', unique_key='order_id') }}

select
    orders.order_id,
    orders.customer_id,
    customers.country_code,
    orders.status,
    orders.total,
    orders.ordered_on,
    orders.updated_at
from {{ ref('stg_orders') }} as orders
inner join {{ ref('stg_customers') }} as customers on orders.customer_id = customers.customer_id
{% if is_incremental() %}
where orders.updated_at > (select max(updated_at) from {{ this }})
{% endif %}
