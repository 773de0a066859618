"""Functions that engines bring along: none of them reads a relation, runs a text as SQL or leaves a trace.

The names of DuckDB and PostgreSQL come from their own catalogs (``duckdb_functions()``, ``pg_proc``), less those that look at files, sizes,
sequences, sessions or other relations. A function that is neither here nor known to sqlglot may be a user's, and a user's may read
anything.
"""

from __future__ import annotations

from afresh.fingerprint.name_sets import names

DUCKDB_BUILTINS: frozenset[str] = names(
    """
    __between __cast abs acos acosh add age aggregate ago alias any_value apply approx_count_distinct approx_quantile approx_top_k
    arbitrary arg_max arg_max_null arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last argmax argmin array_agg array_aggr
    array_aggregate array_append array_apply array_cat array_concat array_contains array_cosine_distance array_cosine_similarity
    array_cross_product array_distance array_distinct array_dot_product array_extract array_filter array_grade_up array_has array_has_all
    array_has_any array_indexof array_inner_product array_intersect array_length array_negative_dot_product array_negative_inner_product
    array_pop_back array_pop_front array_position array_prepend array_push_back array_push_front array_reduce array_resize array_reverse
    array_reverse_sort array_select array_slice array_sort array_to_json array_to_string array_to_string_comma_default array_transform
    array_unique array_value array_where array_zip ascii asin asinh assert_true atan atan2 atanh avg bar base64 bin binom bit_and
    bit_count bit_length bit_or bit_position bit_xor bitstring bitstring_agg bitstring_byte_comparable bool_and bool_or
    can_cast_implicitly cardinality cast_to_type cbrt ceil ceiling century char_length character_length chr col_description collate_aa
    collate_af collate_am collate_ar collate_ar_sa collate_as collate_az collate_bal collate_be collate_bg collate_blo collate_bn
    collate_bo collate_br collate_bs collate_ca collate_ceb collate_chr collate_cs collate_cu collate_cy collate_da collate_de
    collate_de_at collate_dsb collate_dz collate_ee collate_el collate_en collate_en_us collate_eo collate_es collate_et collate_fa
    collate_fa_af collate_ff collate_fi collate_fil collate_fo collate_fr collate_fr_ca collate_fy collate_ga collate_gl collate_gu
    collate_ha collate_haw collate_he collate_he_il collate_hi collate_hr collate_hsb collate_hu collate_hy collate_id collate_id_id
    collate_ig collate_is collate_it collate_ja collate_ka collate_kk collate_kl collate_km collate_kn collate_ko collate_kok collate_ku
    collate_ky collate_lb collate_lij collate_lkt collate_ln collate_lo collate_lt collate_lv collate_mk collate_ml collate_mn collate_mr
    collate_ms collate_mt collate_my collate_nb collate_nb_no collate_ne collate_nl collate_nn collate_no collate_noaccent collate_nso
    collate_om collate_or collate_pa collate_pa_in collate_pl collate_ps collate_pt collate_ro collate_ru collate_sa collate_se
    collate_sgs collate_si collate_sk collate_sl collate_smn collate_sq collate_sr collate_sr_ba collate_sr_me collate_sr_rs collate_ssy
    collate_st collate_sv collate_sw collate_ta collate_te collate_th collate_tk collate_tn collate_to collate_tr collate_ug collate_uk
    collate_ur collate_uz collate_vi collate_vo collate_wae collate_wo collate_xh collate_yi collate_yo collate_zh collate_zh_cn
    collate_zh_hk collate_zh_mo collate_zh_sg collate_zh_tw collate_zu combine combine_aggr concat concat_ws constant_or_null contains
    corr cos cosh cot count count_if count_star countif covar_pop covar_samp create_sort_key current_catalog current_connection_id
    current_database current_date current_localtime current_localtimestamp current_query current_query_id current_role current_schema
    current_schemas current_setting current_transaction_id current_user damerau_levenshtein date_add date_diff date_part date_sub
    date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade decimal_average
    decimal_division decode degrees divide editdist3 element_at encode ends_with entropy enum_code enum_first enum_last enum_range
    enum_range_boundary epoch epoch_ms epoch_ns epoch_us equi_width_bins era error even exp factorial favg fdiv filter finalize first
    flatten floor fmod format format_bytes format_pg_type format_type formatreadabledecimalsize formatreadablesize from_base64 from_binary
    from_hex from_json from_json_strict fsum gamma gcd gen_random_uuid generate_series generate_subscripts geomean geometric_mean get_bit
    get_block_size get_current_time get_current_timestamp get_type grade_up greatest greatest_common_divisor group_concat hamming hash hex
    histogram histogram_exact hive_partition_component hour icu_collate_aa icu_collate_af icu_collate_am icu_collate_ar icu_collate_ar_sa
    icu_collate_as icu_collate_az icu_collate_bal icu_collate_be icu_collate_bg icu_collate_blo icu_collate_bn icu_collate_bo
    icu_collate_br icu_collate_bs icu_collate_ca icu_collate_ceb icu_collate_chr icu_collate_cs icu_collate_cu icu_collate_cy
    icu_collate_da icu_collate_de icu_collate_de_at icu_collate_dsb icu_collate_dz icu_collate_ee icu_collate_el icu_collate_en
    icu_collate_en_us icu_collate_eo icu_collate_es icu_collate_et icu_collate_fa icu_collate_fa_af icu_collate_ff icu_collate_fi
    icu_collate_fil icu_collate_fo icu_collate_fr icu_collate_fr_ca icu_collate_fy icu_collate_ga icu_collate_gl icu_collate_gu
    icu_collate_ha icu_collate_haw icu_collate_he icu_collate_he_il icu_collate_hi icu_collate_hr icu_collate_hsb icu_collate_hu
    icu_collate_hy icu_collate_id icu_collate_id_id icu_collate_ig icu_collate_is icu_collate_it icu_collate_ja icu_collate_ka
    icu_collate_kk icu_collate_kl icu_collate_km icu_collate_kn icu_collate_ko icu_collate_kok icu_collate_ku icu_collate_ky
    icu_collate_lb icu_collate_lij icu_collate_lkt icu_collate_ln icu_collate_lo icu_collate_lt icu_collate_lv icu_collate_mk
    icu_collate_ml icu_collate_mn icu_collate_mr icu_collate_ms icu_collate_mt icu_collate_my icu_collate_nb icu_collate_nb_no
    icu_collate_ne icu_collate_nl icu_collate_nn icu_collate_no icu_collate_noaccent icu_collate_nso icu_collate_om icu_collate_or
    icu_collate_pa icu_collate_pa_in icu_collate_pl icu_collate_ps icu_collate_pt icu_collate_ro icu_collate_ru icu_collate_sa
    icu_collate_se icu_collate_sgs icu_collate_si icu_collate_sk icu_collate_sl icu_collate_smn icu_collate_sq icu_collate_sr
    icu_collate_sr_ba icu_collate_sr_me icu_collate_sr_rs icu_collate_ssy icu_collate_st icu_collate_sv icu_collate_sw icu_collate_ta
    icu_collate_te icu_collate_th icu_collate_tk icu_collate_tn icu_collate_to icu_collate_tr icu_collate_ug icu_collate_uk icu_collate_ur
    icu_collate_uz icu_collate_vi icu_collate_vo icu_collate_wae icu_collate_wo icu_collate_xh icu_collate_yi icu_collate_yo
    icu_collate_zh icu_collate_zh_cn icu_collate_zh_hk icu_collate_zh_mo icu_collate_zh_sg icu_collate_zh_tw icu_collate_zu icu_sort_key
    if ilike_escape index_key inet_client_addr inet_client_port inet_server_addr inet_server_port instr invoke is_histogram_other_bin
    isfinite isinf isnan isodow isoyear jaccard jaro_similarity jaro_winkler_similarity json json_array json_array_length json_contains
    json_copy_strftime_if_date json_copy_strftime_if_timestamp json_deep_merge json_exists json_extract json_extract_path
    json_extract_path_text json_extract_string json_group_array json_group_object json_group_structure json_insert json_keys
    json_merge_patch json_merge_patch_diff json_normalize json_object json_pretty json_quote json_remove json_replace json_serialize_plan
    json_serialize_sql json_set json_strip_nulls json_structure json_transform json_transform_strict json_type json_valid json_value
    julian kahan_sum kurtosis kurtosis_pop last last_day lcase lcm least least_common_multiple left left_grapheme len length
    length_grapheme levenshtein lgamma like_escape list list_aggr list_aggregate list_any_value list_append list_apply
    list_approx_count_distinct list_avg list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or list_cat list_concat
    list_contains list_cosine_distance list_cosine_similarity list_count list_distance list_distinct list_dot_product list_element
    list_entropy list_extract list_filter list_first list_grade_up list_has list_has_all list_has_any list_histogram list_indexof
    list_inner_product list_intersect list_kurtosis list_kurtosis_pop list_last list_mad list_max list_median list_min list_mode
    list_negative_dot_product list_negative_inner_product list_pack list_position list_prepend list_product list_reduce list_resize
    list_reverse list_reverse_sort list_select list_sem list_skewness list_slice list_sort list_stddev_pop list_stddev_samp
    list_string_agg list_sum list_transform list_unique list_value list_var_pop list_var_samp list_where list_zip listagg ln log log10
    log2 lower lpad ltrim lttb mad make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz make_type map
    map_concat map_contains map_contains_entry map_contains_value map_entries map_extract map_extract_value map_from_entries map_keys
    map_to_pg_oid map_values max max_by md5 md5_number md5_number_lower md5_number_upper mean median microsecond millennium millisecond
    min min_by minute mismatches mod mode month monthname multiply nanosecond nextafter nfc_normalize normalized_interval not_ilike_escape
    not_like_escape now nullif obj_description octet_length ord overlay parse_dirname parse_dirpath parse_duckdb_log_message
    parse_filename parse_formatted_bytes parse_path path_join pg_collation_is_visible pg_conf_load_time pg_conversion_is_visible
    pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_viewdef pg_has_role pg_opclass_is_visible pg_operator_is_visible
    pg_opfamily_is_visible pg_postmaster_start_time pg_size_pretty pg_table_is_visible pg_ts_config_is_visible pg_ts_dict_is_visible
    pg_ts_parser_is_visible pg_ts_template_is_visible pg_type_is_visible pg_typeof pi position pow power prefix printf product quantile
    quantile_cont quantile_disc quarter radians random range reduce regexp_escape regexp_extract regexp_extract_all regexp_full_match
    regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regr_avgx regr_avgy regr_count regr_intercept regr_r2
    regr_slope regr_sxx regr_sxy regr_syy remap_struct repeat replace replace_type reservoir_quantile reverse right right_grapheme round
    round_even roundbankers row row_to_json rpad rtrim second sem session_user set_bit sha1 sha256 shobj_description sign signbit sin sinh
    skewness sleep_ms split split_part sqrt st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_crs st_geomfromgeojson st_geomfromwkb
    st_intersects_extent st_setcrs starts_with stats stddev stddev_pop stddev_samp str_split str_split_regex strftime string_agg
    string_split string_split_regex string_to_array strip_accents strlen strpos strptime struct_concat struct_contains struct_extract
    struct_extract_at struct_has struct_indexof struct_insert struct_keys struct_pack struct_position struct_update struct_values substr
    substring substring_grapheme subtract suffix sum sum_no_overflow sumkahan switch tan tanh time_bucket timetz_byte_comparable timezone
    timezone_hour timezone_minute to_aggregate_state to_base to_base64 to_binary to_centuries to_days to_decades to_hex to_hours to_json
    to_microseconds to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years today
    transaction_timestamp translate trim trunc try_strptime txid_current typeof ucase unbin unhex unicode union_extract union_tag
    union_value unpivot_list upper url_decode url_encode user uuid uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 var_pop
    var_samp variance variant_array_length variant_bytes_to_variant variant_comparator variant_contains variant_exists variant_extract
    variant_extract_string variant_group_array variant_group_object variant_keys variant_normalize variant_to_parquet_variant variant_type
    variant_typeof vector_type version vertex_extract wavg week weekday weekofyear weighted_avg xor year yearweek
    """
)

POSTGRES_BUILTINS: frozenset[str] = names(
    """
    abbrev abs acos acosd acosh age any_value anyarray_send anycompatiblearray_send area array_agg array_dims array_fill array_length
    array_lower array_ndims array_position array_positions array_remove array_replace array_reverse array_sample array_send array_shuffle
    array_sort array_to_json array_to_string array_to_tsvector array_upper ascii asin asind asinh atan atan2 atan2d atand atanh avg bit
    bit_and bit_count bit_length bit_or bit_send bit_xor bittypmodin bool bool_and bool_or boolsend box box_send bpchar bpcharsend
    bpchartypmodin broadcast btrim bytea byteasend cardinality casefold cash_send cash_words cbrt ceil ceiling center char char_length
    character_length charsend chr cidr cidr_send cidsend circle circle_send clock_timestamp col_description concat concat_ws convert
    convert_from convert_to corr cos cosd cosh cot cotd count covar_pop covar_samp crc32 crc32c cume_dist current_database current_query
    current_schema current_schemas current_setting current_user date date_add date_bin date_part date_send date_subtract date_trunc
    datemultirange daterange daterange_canonical daterange_subdiff decode degrees dense_rank dexp diagonal diameter div dlog1 dlog10
    dround dtrunc encode enum_first enum_last enum_range enum_send erf erfc every exp extract factorial family first_value float4
    float4send float8 float8_combine float8_regr_combine float8send floor format format_type gamma gcd gen_random_uuid generate_series
    generate_subscripts get_bit get_byte get_current_ts_config getdatabaseencoding getpgusername height host hostmask icu_unicode_version
    inet_client_addr inet_client_port inet_send inet_server_addr inet_server_port initcap int2 int2_avg_accum_inv int2int4_sum int2send
    int2vectorsend int4 int4_avg_accum_inv int4_avg_combine int4inc int4multirange int4range int4range_canonical int4range_subdiff
    int4send int8 int8_sum int8dec int8dec_any int8multirange int8range int8range_canonical int8range_subdiff int8send interval
    interval_send intervaltypmodin is_normalized isclosed isempty isfinite ishorizontal isopen isparallel isperp isvertical json_agg
    json_agg_strict json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each
    json_each_text json_object json_object_agg json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict
    json_object_keys json_populate_record json_populate_recordset json_send json_strip_nulls json_to_record json_to_recordset
    json_to_tsvector json_typeof jsonb_agg jsonb_agg_strict jsonb_array_elements jsonb_array_elements_text jsonb_array_length
    jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_insert jsonb_object jsonb_object_agg jsonb_object_agg_strict
    jsonb_object_agg_unique jsonb_object_agg_unique_strict jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match
    jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first jsonb_path_query_first_tz
    jsonb_path_query_tz jsonb_populate_record jsonb_populate_record_valid jsonb_populate_recordset jsonb_pretty jsonb_send jsonb_set
    jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_to_tsvector jsonb_typeof jsonpath_send justify_days
    justify_hours justify_interval lag last_value lcm lead left length lgamma like like_escape line line_send ln log log10 lower lower_inc
    lower_inf lpad lseg lseg_send ltrim macaddr macaddr8 macaddr8_send macaddr8_set7bit macaddr_send make_date make_interval make_time
    make_timestamp make_timestamptz masklen max md5 min min_scale mod mode money multirange multirange_send mxid_age name nameconcatoid
    namesend netmask network normalize notlike now npoints nth_value ntile num_nonnulls num_nulls numeric numeric_div_trunc numeric_exp
    numeric_inc numeric_ln numeric_log numeric_send numeric_sqrt numerictypmodin nummultirange numnode numrange numrange_subdiff
    obj_description octet_length oid oidsend oidvectorsend oidvectortypes overlaps overlay parse_ident path path_send pclose percent_rank
    percentile_cont percentile_disc pg_backend_pid pg_basetype pg_char_to_encoding pg_client_encoding pg_collation_for
    pg_collation_is_visible pg_column_compression pg_column_is_updatable pg_column_toast_chunk_id pg_conf_load_time
    pg_conversion_is_visible pg_describe_object pg_encoding_max_length pg_encoding_to_char pg_function_is_visible pg_get_acl
    pg_get_catalog_foreign_keys pg_get_constraintdef pg_get_expr pg_get_function_arg_default pg_get_function_arguments
    pg_get_function_identity_arguments pg_get_function_result pg_get_function_sqlbody pg_get_functiondef pg_get_indexdef pg_get_keywords
    pg_get_object_address pg_get_partition_constraintdef pg_get_partkeydef pg_get_replica_identity_index pg_get_replication_slots
    pg_get_ruledef pg_get_serial_sequence pg_get_statisticsobjdef pg_get_statisticsobjdef_columns pg_get_statisticsobjdef_expressions
    pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role pg_input_error_info pg_input_is_valid pg_numa_available
    pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible pg_options_to_table pg_postmaster_start_time pg_size_bytes
    pg_size_pretty pg_snapshot_send pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin pg_split_walfile_name pg_statistics_obj_is_visible
    pg_table_is_visible pg_trigger_depth pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible
    pg_type_is_visible pg_typeof pg_visible_in_snapshot phraseto_tsquery pi plainto_tsquery point point_send poly_send polygon popen
    position pow power querytree quote_ident quote_literal quote_nullable radians radius random random_normal range_agg
    range_intersect_agg range_merge range_send rank record_send regclass regclasssend regcollationsend regconfigsend regdictionarysend
    regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table
    regexp_substr regnamespacesend regoperatorsend regopersend regproceduresend regprocsend regr_avgx regr_avgy regr_count regr_intercept
    regr_r2 regr_slope regr_sxx regr_sxy regr_syy regrolesend regtypesend repeat replace reverse right round row_number row_to_json rpad
    rtrim scale session_user set_bit set_byte set_masklen setweight sha224 sha256 sha384 sha512 shobj_description sign similar_escape
    similar_to_escape sin sind sinh slope split_part sqrt starts_with statement_timestamp stddev stddev_pop stddev_samp string_agg
    string_to_array string_to_table strip strpos substr substring sum system_user tan tand tanh text textcat textlen textsend tidsend time
    time_send timeofday timestamp timestamp_send timestamptypmodin timestamptz timestamptz_send timestamptztypmodin timetypmodin timetz
    timetz_send timetztypmodin timezone to_ascii to_bin to_char to_date to_hex to_json to_jsonb to_number to_oct to_regclass
    to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype to_regtypemod to_timestamp
    to_tsquery to_tsvector transaction_timestamp translate trim_array trim_scale trunc ts_debug ts_delete ts_filter ts_headline ts_lexize
    ts_parse ts_rank ts_rank_cd ts_token_type tsmultirange tsquery_phrase tsquerysend tsrange tsrange_subdiff tstzmultirange tstzrange
    tstzrange_subdiff tsvector_to_array tsvectorsend txid_current txid_current_if_assigned txid_current_snapshot txid_snapshot_send
    txid_snapshot_xip txid_snapshot_xmax txid_snapshot_xmin txid_visible_in_snapshot unicode_assigned unicode_version unistr unknownsend
    unnest upper upper_inc upper_inf uuid_extract_timestamp uuid_extract_version uuid_send uuidv4 uuidv7 var_pop var_samp varbit
    varbit_send varbittypmodin varchar varcharsend varchartypmodin variance version void_send websearch_to_tsquery width width_bucket xid
    xid8send xidsend xml xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document xml_send xmlagg xmlcomment xmlexists
    xmltext xmlvalidate xpath xpath_exists
    """
)

POSTGRES_EXTENSIONS: frozenset[str] = names(
    """
    akeys armor autoinc avals chr crypt cube daitch_mokotoff dearmor decrypt difference digest dmetaphone dmetaphone_alt each earth
    earth_box earth_distance encrypt exist fuzzystrmatch gen_random_bytes gen_salt gc_to_sec hmac hstore hstore_to_array hstore_to_json
    hstore_to_jsonb hstore_to_matrix icount idx intset latitude levenshtein levenshtein_less_equal ll_to_earth longitude lquery ltree2text
    metaphone nlevel pgp_pub_decrypt pgp_pub_encrypt pgp_sym_decrypt pgp_sym_encrypt sec_to_gc show_trgm similarity skeys slice sort
    soundex sort_asc sort_desc strict_word_similarity subarray subltree subpath svals text2ltree text_soundex time_bucket unaccent uniq
    uuid_generate_v1 uuid_generate_v3 uuid_generate_v4 uuid_generate_v5 uuid_nil word_similarity xpath xpath_exists
    """
)
"""Functions of the extensions that PostgreSQL ships (pgcrypto, hstore, pg_trgm, fuzzystrmatch …) and of TimescaleDB."""

OTHER_BUILTINS: frozenset[str] = names(
    """
    add_months aggregate approx_count_distinct approx_distinct approx_percentile approx_percentile_accumulate approx_percentiles
    approx_quantiles approx_top_count approx_top_k approx_top_sum arbitrary array_agg array_append array_cat array_compact array_construct
    array_construct_compact array_contains array_distinct array_except array_flatten array_generate_range array_insert array_intersect
    array_intersection array_join array_max array_min array_position array_prepend array_remove array_remove_at array_reverse array_size
    array_slice array_sort array_to_string array_union array_unique_agg arrays_overlap arrays_to_object arrays_zip as_array as_binary
    as_boolean as_char as_date as_decimal as_double as_integer as_number as_object as_real as_time as_timestamp_ltz as_timestamp_ntz
    as_timestamp_tz as_varchar ascii base64 base64_decode_binary base64_decode_string base64_encode bin binary_checksum bit_length bitand
    bitand_agg bitnot bitor bitor_agg bitshiftleft bitshiftright bitxor bitxor_agg bool_and bool_or booland booland_agg boolnot boolor
    boolor_agg boolxor boolxor_agg bround can_json_parse cardinality charindex check_json check_xml checksum choose collate collation
    compress concat_ws conditional_change_event conditional_true_event contains conv convert_timezone corr cosine_similarity count_if
    covar_pop covar_samp crc32 cume_dist current_available_roles date date_add date_bin date_diff date_format date_from_parts
    date_from_unix_date date_parse date_part date_sub date_trunc dateadd datediff datefromparts datename datepart datetime
    datetime2fromparts datetimefromparts day day_name dayname dayofmonth dayofweek dayofweek_iso dayofweekiso dayofyear decode
    decompress_binary decompress_string degrees dense_rank difference div0 div0null editdistance element_at elt encode endswith eomonth
    equal_null every factorial farm_fingerprint farmfingerprint64 field filter find_in_set floor forall format format_number formatmessage
    from_csv from_iso8601_date from_iso8601_timestamp from_json from_unixtime from_unixtime_nanos from_utc_timestamp geometric_mean get
    get_ddl_hash get_json_object get_path getbit greatest_ignore_nulls group_concat grouping grouping_id h3_cell_to_boundary
    h3_latlng_to_cell hash hash_agg haversine hex hex_decode_binary hex_decode_string hex_encode histogram hll hll_accumulate
    hll_cardinality hll_combine hll_create_sketch hll_estimate hll_export hll_import hour human_readable_seconds iff ifnull inet_aton
    inet_ntoa initcap inline insert instr int2ip ip2int is_array is_binary is_boolean is_char is_date is_decimal is_double is_integer
    is_json is_json_array is_json_object is_json_scalar is_nan is_null_value is_object is_real is_time is_timestamp_ltz is_timestamp_ntz
    is_timestamp_tz is_valid_json is_valid_json_array is_varchar isdate isjson isnan isnull isnumeric jarowinkler_similarity json_array
    json_array_contains json_array_get json_array_length json_exists json_extract json_extract_array_element_text json_extract_path_text
    json_extract_scalar json_format json_modify json_object json_parse json_query json_serialize json_size json_tuple json_typeof
    json_value kurtosis last_day least_ignore_nulls left len length levenshtein listagg listaggdistinct ln locate log10 log1p log2 lpad
    make_date make_dt_interval make_interval make_timestamp map_agg map_cat map_concat map_contains_key map_delete map_entries map_filter
    map_from_arrays map_from_entries map_insert map_keys map_pick map_size map_union map_values map_zip_with max_by md5_binary md5_hex
    md5_number md5_number_lower64 md5_number_upper64 median min_by minhash minhash_combine minute mod month monthname months_between
    multimap_agg named_struct nanvl nchar negative next_day not_null ntile nullifzero numeric_histogram nvl nvl2 object_agg
    object_construct object_construct_keep_null object_delete object_insert object_keys object_pick object_transform octet_length overlay
    parse_datetime parse_ip parse_json parse_url parse_xml parsename patindex percent_rank percentile percentile_approx percentile_cont
    percentile_disc pi pmod posexplode position positive power previous_day quarter quotename radians ratio_to_report reduce regexp
    regexp_count regexp_extract regexp_extract_all regexp_instr regexp_like regexp_replace regexp_split regexp_substr regexp_substr_all
    regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy regr_valx regr_valy repeat replace
    replicate reverse right rint round row_number rpad rtrimmed_length safe_add safe_divide safe_multiply safe_negate safe_subtract
    schema_of_json second sequence set_agg set_union sha1 sha1_binary sha1_hex sha2 sha256 sha2_binary sha2_hex sha512 shiftleft
    shiftright shiftrightunsigned shuffle sign skewness slice smalldatetimefromparts soundex soundex_p123 space split split_part
    split_to_array square squareroot stack startswith stddev stddev_pop stddev_samp str str_to_date str_to_map string_agg string_escape
    string_split strip_null_value strtok strtok_to_array strtol stuff subarray substring_index sysutcdatetimefromparts time
    time_from_parts time_slice timeadd timediff timefromparts timestamp timestamp_add timestamp_diff timestamp_from_parts
    timestamp_ltz_from_parts timestamp_micros timestamp_millis timestamp_ntz_from_parts timestamp_seconds timestamp_sub
    timestamp_tz_from_parts timestampadd timestampdiff to_array to_base64 to_binary to_boolean to_char to_csv to_date to_decimal to_double
    to_geography to_geometry to_hex to_json to_json_string to_milliseconds to_number to_numeric to_object to_time to_timestamp
    to_timestamp_ltz to_timestamp_ntz to_timestamp_tz to_unix_timestamp to_utc_timestamp to_varchar to_variant to_xml transform
    transform_keys transform_values translate trunc try_add try_avg try_base64_decode_binary try_base64_decode_string try_divide
    try_element_at try_hex_decode_binary try_hex_decode_string try_multiply try_parse_json try_subtract try_sum try_to_binary
    try_to_boolean try_to_date try_to_decimal try_to_double try_to_number try_to_numeric try_to_time try_to_timestamp try_to_timestamp_ltz
    try_to_timestamp_ntz try_to_timestamp_tz try_variant_get typeof unbase64 unhex unicode unicode_string unix_date unix_micros
    unix_millis unix_seconds unix_timestamp url_decode url_encode url_extract_host url_extract_parameter url_extract_path
    url_extract_protocol url_extract_query var_pop var_samp variance variant_get vector_cosine_similarity week weekday weekiso weekofyear
    width_bucket word_stem xmlagg xmlelement xmlget year yearofweek yearofweekiso zeroifnull zip_with
    """
)
"""Functions of Snowflake, Redshift, Databricks, Spark, Trino, SQL Server and BigQuery that sqlglot does not know in every dialect."""

_BY_DIALECT: dict[str | None, frozenset[str]] = {
    "duckdb": DUCKDB_BUILTINS,
    "postgres": POSTGRES_BUILTINS | POSTGRES_EXTENSIONS,
    "materialize": POSTGRES_BUILTINS | POSTGRES_EXTENSIONS,
    "risingwave": POSTGRES_BUILTINS | POSTGRES_EXTENSIONS,
}
_ANY = DUCKDB_BUILTINS | POSTGRES_BUILTINS | OTHER_BUILTINS
_BUILTIN_SCHEMAS = frozenset({"pg_catalog", "system", "builtin", "safe", "net", "hll_count", "keys", "sys", "information_schema"})
_GEOGRAPHY = ("st_", "h3_", "s2_")


def is_builtin(name: str, dialect: str | None) -> bool:
    """Whether a function that sqlglot does not know is the engine's own. ``name`` may carry a schema."""
    *schema, plain = name.lower().split(".")
    if schema and (len(schema) > 1 or schema[0] not in _BUILTIN_SCHEMAS):
        return False
    if dialect == "bigquery":
        # Without a dataset in front there are only BigQuery's own.
        return True
    return plain in _BY_DIALECT.get(dialect, _ANY) or plain.startswith(_GEOGRAPHY)
