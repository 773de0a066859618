"""Functions that read nothing but their arguments and that sqlglot has no place for, where users cannot give the same name to their own."""

from __future__ import annotations

PURE_FUNCTIONS = {
    "clickhouse": frozenset(
        """
        JSONExtract JSONExtractArrayRaw JSONExtractBool JSONExtractFloat JSONExtractInt JSONExtractRaw JSONExtractUInt JSONHas
        JSONLength addDays addHours addMinutes addMonths addWeeks addYears anyLast arrayCompact arrayCount arrayElement
        arrayExists arrayFlatten arraySort arraySum assumeNotNull base64Decode base64Encode dateName domain empty extract
        groupArray groupUniqArray hasAll hasAny intDiv isNotNull isNull lagInFrame leadInFrame mapKeys mapValues modulo multiIf
        notEmpty parseDateTimeBestEffort parseDateTimeBestEffortOrNull parseDateTimeBestEffortOrZero path quantiles replaceAll
        replaceOne replaceRegexpAll replaceRegexpOne sipHash64 splitByChar splitByString subtractDays subtractHours
        subtractMonths subtractYears toDate toDate32 toDateTime toDateTime64 toDayOfMonth toDayOfWeek toDayOfYear toDecimal128
        toDecimal32 toDecimal64 toFixedString toFloat32 toFloat64 toHour toInt128 toInt16 toInt32 toInt64 toInt8
        toLowCardinality toMinute toMonth toNullable toQuarter toSecond toStartOfFifteenMinutes toStartOfWeek toStartOfYear
        toString toTimeZone toTimezone toUInt16 toUInt32 toUInt64 toUInt8 toUUID toUnixTimestamp toYYYYMM toYYYYMMDD toYear
        transform tupleElement uniqCombined uniqExact visitParamExtractBool visitParamExtractInt visitParamExtractString
        xxHash64
        """.split()  # noqa: SIM905 - a list of words
    )
}
"""By sqlglot's name of the dialect. ClickHouse refuses a function of a user that has the name of one of its own, case included."""
