select
    customers.customer_id,
    customers.customer_name,
    countries.country,
    countries.region,
    customers.signed_up_on,
    count(orders.order_id) as orders,
    coalesce(sum(orders.total), 0) as spent,
    count(orders.order_id) >= {{ var('loyal_from_orders') }} as is_loyal
from {{ ref('stg_customers') }} as customers
inner join {{ ref('countries') }} as countries on customers.country_code = countries.country_code
left join {{ ref('fct_orders') }} as orders on customers.customer_id = orders.customer_id
group by all
