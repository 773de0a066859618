select
    product_id,
    product_name,
    price,
    dbt_valid_from as valid_from,
    dbt_valid_to as valid_to
from {{ ref('product_prices') }}
