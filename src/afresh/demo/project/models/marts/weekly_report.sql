{{ config(materialized='view') }}

select
    date_trunc('week', ordered_on) as week,
    sum(orders) as orders,
    sum(sales) as sales
from {{ ref('daily_sales') }}
group by 1
