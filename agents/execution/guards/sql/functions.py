"""The whitelist of SQL's functions, per dialect, and of what a cast may make. All else is refused.

None of them reads anything but its arguments. Those that can make a large value of a small one are bounded by
`sql_growth`; what they cost beyond that is bounded by the engine.
"""

from collections.abc import Mapping

from sqlglot import exp


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CAST_TYPES = _words(
    """
        TEXT VARCHAR CHAR NCHAR NVARCHAR BPCHAR NAME BOOLEAN DATE DATE32 DATETIME DATETIME2 DATETIME64 TIME
        TIMETZ TIMESTAMP TIMESTAMPTZ TIMESTAMPLTZ TIMESTAMPNTZ TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS TINYINT
        SMALLINT MEDIUMINT INT INT128 INT256 BIGINT UTINYINT USMALLINT UMEDIUMINT UINT UINT128 UBIGINT FLOAT
        DOUBLE DECIMAL DECIMAL32 DECIMAL64 DECIMAL128 UDECIMAL UDOUBLE NULLABLE LOWCARDINALITY UUID JSON JSONB
        INTERVAL ARRAY LIST BIT BINARY YEAR HUGEINT FIXEDSTRING
        """
)
"""What a CAST may turn a value into."""

_TYPED = _words(
    """
        Overlay RegexpCount RegexpInstr RegexpSubstr ToMap VarMap Format ConvertTimezone Abs Acos Acosh
        AddMonths AnyValue ApproxDistinct ApproxQuantile ApproxQuantiles ApproxTopK ArgMax ArgMin Array ArrayAgg
        ArrayAll ArrayAny ArrayAppend ArrayCompact ArrayConcat ArrayContainedBy ArrayContains ArrayContainsAll
        ArrayDistinct ArrayExcept ArrayFilter ArrayFirst ArrayIntersect ArrayLast ArrayMax ArrayMin
        ArrayOverlaps ArrayPosition ArrayPrepend ArrayRemove ArrayReverse ArraySize ArraySlice ArraySort
        ArraySum ArrayToString ArrayUniqueAgg Ascii Asin Asinh Atan Atan2 Atanh Avg BitLength BitwiseAndAgg
        BitwiseCount BitwiseOrAgg BitwiseXorAgg ByteLength Cbrt Ceil Chr Coalesce Concat ConcatWs Contains Corr
        Cos Cosh Cot Count CountIf CovarPop CovarSamp CumeDist CurrentDate CurrentDatetime CurrentTime
        CurrentTimestamp CurrentTimestampLTZ Date DateAdd DateBin DateDiff DateFromParts DateFromUnixDate
        DateStrToDate DateSub DateToDateStr DateTrunc Datetime DatetimeAdd DatetimeDiff DatetimeSub
        DatetimeTrunc Day DayOfMonth DayOfWeek DayOfWeekIso DayOfYear Dayname Degrees DenseRank Elt EndsWith
        EqualNull Exp Explode Extract First FirstValue Floor Greatest GroupConcat Grouping GroupingId Hex Hour
        Initcap IsInf IsNan IsNullValue JSONArray JSONArrayAgg JSONArrayContains JSONBContains
        JSONBContainsTopKey JSONBContainsAnyTopKeys JSONBContainsAllTopKeys JSONBExists JSONBExtract
        JSONBExtractScalar JSONBObjectAgg JSONExists JSONExtract JSONExtractArray JSONExtractScalar JSONKeys
        JSONObject JSONObjectAgg JSONType JustifyDays JustifyHours JustifyInterval Kurtosis Lag Last LastDay
        LastValue Lead Least Left Length Ln Localtime Localtimestamp Log LogicalAnd LogicalOr Lower LowerHex MD5
        MakeInterval Map MapKeys Max Median Min Minute Mode Month Monthname MonthsBetween NthValue Ntile Nullif
        NumberToStr Nvl2 ParseJSON PercentRank PercentileCont PercentileDisc Pi Pow Quantile Quarter Radians
        Rank RegexpExtract RegexpExtractAll RegexpFullMatch RegexpILike RegexpLike RegexpReplace RegexpSplit
        RegrAvgx RegrAvgy RegrCount RegrIntercept RegrR2 RegrSlope RegrSxx RegrSxy RegrSyy Repeat Replace
        Reverse Right Round RowNumber SHA SHA2 SafeDivide Second Sign Sin Sinh Skewness Space Split SplitPart
        Sqrt StartsWith Stddev StddevPop StddevSamp StrPosition StrToDate StrToTime StrToUnix String
        StringToArray StructExtract Substring SubstringIndex Sum Tan Tanh Time TimeAdd TimeDiff TimeFromParts
        TimeStrToDate TimeStrToTime TimeStrToUnix TimeSub TimeToStr TimeToUnix TimeTrunc Timestamp TimestampAdd
        TimestampDiff TimestampFromParts TimestampSub TimestampTrunc ToArray ToChar ToDays ToDouble ToNumber
        Transform Translate Trim Trunc TsOrDsAdd TsOrDsDiff TsOrDsToDate TsOrDsToDateStr TsOrDsToDatetime
        TsOrDsToTime TsOrDsToTimestamp Typeof Unicode UnixDate UnixMicros UnixMillis UnixSeconds UnixToStr
        UnixToTime UnixToTimeStr Upper UtcDate UtcTime UtcTimestamp Variance VariancePop Week WeekOfYear
        WidthBucket Year YearOfWeek CityHash64 Pad ExplodingGenerateSeries GenerateSeries
        """
)

FUNCTIONS: frozenset[type[exp.Expr]] = frozenset(
    getattr(exp, name) for name in _TYPED if isinstance(getattr(exp, name, None), type)
)
"""Functions that sqlglot knows by a node type of their own; they may carry whatever they are called with."""

_CLICKHOUSE = _words(
    """
        grouparraysample
        simplejsonextractstring simplejsonextractint simplejsonextractuint simplejsonextractfloat
        simplejsonextractbool simplejsonhas visitparamextractstring visitparamextractint visitparamextractuint
        visitparamextractfloat visitparamextractbool visitparamhas tofloat32orzero corrstable covarsampstable
        covarpopstable varsampstable varpopstable replaceregexpall replaceregexpone addday adddays addhours
        addminutes addmonths addquarters addseconds addweeks addyears age any anyheavy anylast argmax argmin
        arrayavg arraycompact arrayconcat arraycount arraycumsum arraydifference arraydistinct arrayelement
        arrayenumerate arrayexists arrayfilter arrayfirst arrayfirstindex arrayflatten arrayintersect arrayjoin
        arraylast arraymap arraymax arraymin arraypopback arraypopfront arrayproduct arraypushback
        arraypushfront arrayreverse arrayreversesort arrayslice arraysort arraystringconcat arraysum arrayuniq
        arrayzip assumenotnull avg avgweighted base64encode bitand bitor bitxor cbrt ceil ceiling coalesce
        concat concatwithseparator corr count countequal countsubstrings covarpop covarsamp cutfragment date_add
        date_diff date_sub date_trunc dateadd datediff datesub datename datetrunc dayofmonth dayofweek dayofyear
        deltasum divide domain emptyarraystring empty endswith equals exp exponentialmovingaverage extractall
        firstvalue first_value floor formatdatetime formatreadablequantity formatreadablesize
        formatreadabletimedelta fromunixtimestamp fromunixtimestamp64milli fromunixtimestamp64micro greater
        greatercircledistance greaterorequals greatest grouparray grouparraysorted groupbitand groupbitor
        groupbitxor groupuniqarray grouparraymovingavg grouparraymovingsum grouping has hasall hasany hassubstr
        hastoken hour if ifnull indexof initcap intdiv intdivorzero isfinite isinfinite isnan isnotnull isnull
        jsonextract jsonextractarrayraw jsonextractbool jsonextractfloat jsonextractint jsonextractkeys
        jsonextractraw jsonextractstring jsonextractuint jsonhas jsonlength jsontype json_value json_query
        kurtpop kurtsamp laginframe lag lastvalue last_value leadinframe lead least left length lengthutf8 less
        lessorequals like log log10 log2 lower lowerutf8 ltrim max max2 maxmap mapkeys mapvalues median
        medianexact mediantdigest min min2 minus minmap minute modulo month monthname multiif multiply
        nonnegativederivative notempty notequals notlike now now64 nth_value ntile nullif plus
        parsedatetime parsedatetimebesteffort parsedatetimebesteffortornull parsedatetime64besteffort
        percent_rank cume_dist position positioncaseinsensitive pow power quantile quantiledeterministic
        quantileexact quantileexactweighted quantiletdigest quantiletiming quantilebfloat16 quantiles
        quantilesexact quantilestdigest quantilestiming quarter rank dense_rank replaceall replaceone reverse
        right round roundbankers rounddown roundtoexp2 row_number rtrim runningdifference second sign
        simplelinearregression skewpop skewsamp splitbychar splitbystring sqrt startsofweek startswith stddevpop
        stddevsamp stddevpopstable stddevsampstable substring substringutf8 substringindex sum sumcount sumkahan
        summap sumwithoverflow subtractdays subtracthours subtractminutes subtractmonths subtractquarters
        subtractseconds subtractweeks subtractyears timeslot timestamp_add timestamp_sub toboolean tobool todate
        todate32 todatetime todatetime64 todayofmonth todayofweek todayofyear today tofixedstring tofloat32
        tofloat32ornull tofloat64 tofloat64ornull tofloat64orzero tohour toint16 toint32 toint32ornull
        toint32orzero toint64 toint64ornull toint64orzero toint8 tointervalday tointervalhour tointervalminute
        tointervalmonth tointervalsecond tointervalweek tointervalyear toisoweek toisoyear tolastdayofmonth
        tominute tomonday tomonth tonullable toquarter torelativedaynum torelativehournum tosecond tostartofday
        tostartoffifteenminutes tostartoffiveminutes tostartoffiveminute tostartofhour tostartofinterval
        tostartofisoyear tostartofminute tostartofmonth tostartofquarter tostartofsecond tostartoftenminutes
        tostartofweek tostartofyear tostring totimezone totypename touint16 touint32 touint32ornull
        touint32orzero touint64 touint64ornull touint8 tounixtimestamp tounixtimestamp64milli toweek toyear
        toyyyymm toyyyymmdd toyearweek topk topkweighted transform trimboth trimleft trimright trim trunc
        truncate tuple tupleelement uniq uniqcombined uniqcombined64 uniqexact uniqhll12 upper upperutf8 varpop
        varsamp week windowfunnel year yesterday xor and or not negate abs decimal todecimal32 todecimal64
        todecimal128 accuratecastornull todecimal64ornull match multisearchany extract ilike notilike
        tocolumntypename exponentialtimedecayedavg stddev_pop stddev_samp var_pop var_samp cityhash64 siphash64
        xxhash64 nthvalue lttb histogram entropy retention sequencematch sequencecount groupconcat
        arrayrotateleft sumdistinct isdecimaloverflow toiso8601 timediff
        """
)

_SQLITE = _words(
    """
        abs avg coalesce concat concat_ws count cume_dist date datetime dense_rank first_value format glob
        group_concat hex ifnull iif instr json json_array json_array_length json_extract json_group_array
        json_group_object json_object json_quote json_type json_valid julianday lag last_value lead length
        likely lower ltrim max median min nth_value ntile nullif percent_rank percentile percentile_cont
        percentile_disc printf quote rank replace round row_number rtrim sign strftime string_agg substr
        substring sum time timediff total trim trunc typeof unicode unixepoch unlikely upper acos asin atan
        atan2 ceil ceiling cos degrees exp floor ln log log10 log2 mod pi pow power radians sin sqrt tan
        current_date current_time current_timestamp char octet_length stddev stddev_pop stddev_samp variance
        var_pop var_samp
        """
)

_POSTGRES = _words(
    """
        regexp_match regexp_matches regexp_split_to_array regexp_count regexp_substr regexp_instr to_tsvector
        to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_headline
        jsonb_array_elements jsonb_array_elements_text json_array_elements json_array_elements_text jsonb_each
        jsonb_each_text json_each json_each_text jsonb_object_keys json_object_keys all abs acos age any_value
        array_agg array_append array_cat array_length array_lower array_position array_positions array_prepend
        array_remove array_replace array_to_json array_to_string array_upper ascii asin atan atan2 avg bit_and
        bit_or bit_xor bool_and bool_or btrim cardinality cbrt ceil ceiling char_length character_length chr
        clock_timestamp coalesce concat concat_ws corr cos cot count covar_pop covar_samp cume_dist date
        date_bin date_part date_trunc degrees dense_rank div every exp extract first_value floor gcd greatest
        grouping initcap isfinite json_agg json_array_length json_build_array json_build_object
        json_extract_path json_extract_path_text json_object_agg json_typeof jsonb_agg jsonb_array_length
        jsonb_build_array jsonb_build_object jsonb_extract_path jsonb_extract_path_text jsonb_object_agg
        jsonb_typeof jsonb_path_exists jsonb_path_query_first jsonb_strip_nulls json_strip_nulls justify_days
        justify_hours justify_interval lag last_value lcm lead least left length ln log log10 lower ltrim
        make_date make_interval make_time make_timestamp make_timestamptz max md5 min mod mode now nth_value
        ntile nullif num_nonnulls num_nulls octet_length overlay percent_rank percentile_cont percentile_disc pi
        position pow power quote_literal radians rank regr_avgx regr_avgy regr_count regr_intercept regr_r2
        regr_slope regr_sxx regr_sxy regr_syy replace reverse right round row_number row_to_json rtrim scale
        sign sin split_part sqrt starts_with statement_timestamp stddev stddev_pop stddev_samp string_agg
        string_to_array strpos substr substring sum tan timezone to_char to_date to_json to_jsonb to_number
        to_timestamp transaction_timestamp translate trim trim_array trunc unnest upper var_pop var_samp
        variance width_bucket current_date current_timestamp localtime localtimestamp string_to_table
        array_ndims row
        """
)

_DUCKDB = _words(
    """
        list_string_agg printf all abs age any_value approx_count_distinct approx_quantile arbitrary arg_max
        arg_min argmax argmin array_agg array_append array_concat array_contains array_distinct array_filter
        array_has array_length array_position array_reverse array_slice array_sort array_to_string
        array_transform ascii avg bit_and bit_count bit_or bit_xor bool_and bool_or cardinality cbrt ceil
        ceiling century chr coalesce concat concat_ws contains corr cos count count_if count_star covar_pop
        covar_samp cume_dist date date_add date_diff date_part date_sub date_trunc datediff datepart datesub
        datetrunc day dayname dayofmonth dayofweek dayofyear decade degrees dense_rank element_at ends_with
        entropy epoch epoch_ms epoch_ns epoch_us era exp extract favg first first_value flatten floor format
        fsum geomean geometric_mean greatest group_concat grouping grouping_id histogram hour ifnull instr
        isfinite isinf isnan isodow isoyear json json_array json_array_length json_contains json_exists
        json_extract json_extract_path json_extract_path_text json_extract_string json_group_array
        json_group_object json_keys json_object json_type json_valid json_value kurtosis kurtosis_pop lag last
        last_day last_value lcase lcm lead least left len length levenshtein like_escape list list_aggregate
        list_any_value list_append list_avg list_cat list_concat list_contains list_count list_distinct
        list_element list_extract list_filter list_first list_has list_has_all list_has_any list_indexof
        list_last list_max list_median list_min list_mode list_position list_prepend list_reduce list_reverse
        list_reverse_sort list_slice list_sort list_sum list_transform list_unique list_value list_zip ln log
        log10 log2 lower ltrim mad make_date make_time make_timestamp map_contains map_extract map_keys
        map_values max max_by md5 mean median microsecond millennium millisecond min min_by minute mod mode
        month monthname now nth_value ntile nullif ordinality percent_rank percentile_cont percentile_disc pi
        position pow power prefix product quantile quantile_cont quantile_disc quarter radians rank regr_avgx
        regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy replace
        reservoir_quantile reverse right round round_even row row_number rtrim sample_mode second sem sign sin
        skewness split split_part sqrt starts_with stddev stddev_pop stddev_samp str_split strftime string_agg
        string_split string_to_array strip_accents strlen strpos strptime struct_extract struct_pack substr
        substring suffix sum sum_no_overflow sumkahan tan time_bucket timezone to_days to_hours to_json
        to_microseconds to_milliseconds to_minutes to_months to_seconds to_timestamp to_weeks to_years today
        transaction_timestamp translate trim trunc try_strptime typeof ucase unicode union_value unnest upper
        var_pop var_samp variance week weekday weekofyear width_bucket year yearweek current_date
        current_timestamp current_time get_current_timestamp json_transform array_select generate_subscripts
        """
)

_MYSQL = _words(
    """
        sysdate all abs acos adddate addtime any_value ascii asin atan atan2 avg bit_and bit_count bit_or
        bit_xor ceil ceiling char_length character_length coalesce concat concat_ws conv convert_tz cos cot
        count cume_dist curdate current_date current_time current_timestamp curtime date date_add date_format
        date_sub datediff day dayname dayofmonth dayofweek dayofyear degrees dense_rank elt exp extract field
        find_in_set first_value floor format from_days from_unixtime greatest group_concat grouping hex hour if
        crc32 ifnull inet_ntoa instr isnull json_array json_arrayagg json_contains json_contains_path json_depth
        json_extract json_keys json_length json_object json_objectagg json_overlaps json_quote json_search
        json_type json_unquote json_valid json_value lag last_day last_value lcase lead least left length ln
        localtime localtimestamp locate log log10 log2 lower ltrim makedate maketime max md5 microsecond mid min
        minute mod month monthname now nth_value ntile nullif octet_length ord percent_rank period_add
        period_diff pi position pow power quarter radians rank replace reverse right round row_number rtrim
        sec_to_time second sign sin sqrt std stddev stddev_pop stddev_samp str_to_date strcmp subdate substr
        substring substring_index subtime sum tan time time_format time_to_sec timediff timestamp timestampadd
        timestampdiff to_days to_seconds trim truncate ucase unix_timestamp upper utc_date utc_time
        utc_timestamp values var_pop var_samp variance week weekday weekofyear year yearweek median
        percentile_cont percentile_disc row
        """
) - {"values"}

NAMED_FUNCTIONS: Mapping[str, frozenset[str]] = {
    "sqlite": _SQLITE,
    "clickhouse": _CLICKHOUSE,
    "postgres": _POSTGRES,
    "duckdb": _DUCKDB,
    "mysql": _MYSQL,
}
"""Functions known by name only, per dialect, in lower case."""

NAMED_NODES = (
    exp.Anonymous,
    exp.AnonymousAggFunc,
    exp.CombinedAggFunc,
    exp.ParameterizedAgg,
    exp.CombinedParameterizedAgg,
)
"""Node types for functions known by name only."""

_COMBINATORS = ("ornull", "ordefault", "distinct", "array", "foreach", "if")
"""What may be put behind the name of a ClickHouse aggregate, in any order. Not -State and -Merge: states hold
whatever was put into them."""

ROW_FUNCTIONS: Mapping[str, frozenset[str]] = {
    "postgres": _words(
        """
        jsonb_array_elements jsonb_array_elements_text json_array_elements json_array_elements_text jsonb_each
        jsonb_each_text json_each json_each_text jsonb_object_keys json_object_keys string_to_table
        """
    ),
}
"""Functions that may stand where a table stands: they make rows of their arguments, no more than those hold."""

COLLATIONS: Mapping[str, frozenset[str]] = {
    "sqlite": frozenset({"nocase", "binary", "rtrim"}),
    "postgres": frozenset({"c", "posix", "ucs_basic", "en_us", "und-x-icu", "default"}),
    "duckdb": frozenset({"nocase", "noaccent", "nfc"}),
    "mysql": frozenset({"utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_0900_ai_ci"}),
    "clickhouse": frozenset({"en"}),
}


def named_function_allowed(name: str, dialect: str) -> bool:
    """Is a function known by name only on the dialect's list? For ClickHouse, combinators are taken off first."""
    name, known = name.lower(), NAMED_FUNCTIONS[dialect]
    if name in known:
        return True
    if dialect != "clickhouse":
        return False
    shorter = True
    while shorter:
        shorter = False
        for ending in _COMBINATORS:
            if name.endswith(ending) and len(name) > len(ending):
                name, shorter = name.removesuffix(ending), True
                if name in known:
                    return True
    return False
