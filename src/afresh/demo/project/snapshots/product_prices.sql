{% snapshot product_prices %}
{{
    config(
        target_schema='snapshots',
        unique_key='product_id',
        strategy='check',
        check_cols=['price'],
    )
}}
select product_id, product_name, price
from {{ ref('stg_products') }}
{% endsnapshot %}
