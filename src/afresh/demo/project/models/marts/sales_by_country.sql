select
    countries.country,
    countries.region,
    count(*) as orders,
    sum(orders.total) as sales
from {{ ref('fct_orders') }} as orders
inner join {{ ref('countries') }} as countries on orders.country_code = countries.country_code
group by countries.country, countries.region
