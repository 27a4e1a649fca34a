-- One row per answered question. The hour in the key lets "the last hour" skip most of a day; both it and
-- the partition come from the event, so an answer delivered twice meets itself and stays one row.
CREATE TABLE IF NOT EXISTS answers
(
    tenant_id LowCardinality(String),
    trace_id String,
    answer_id String,
    question_id String,
    user_id String,
    question String CODEC(ZSTD(3)),
    mode LowCardinality(String),
    status LowCardinality(String),
    plan_kind LowCardinality(String),
    planner LowCardinality(String),
    score Float64,
    reasons Array(String),
    text String CODEC(ZSTD(3)),
    successful_tools Array(LowCardinality(String)),
    failed_tools Array(LowCardinality(String)),
    fallback_used Bool,
    fallback_reason LowCardinality(String),
    fallback_tool_attempted LowCardinality(String),
    fallback_tool_used LowCardinality(String),
    replans UInt16,
    timed_out Bool,
    error_code LowCardinality(String),
    error_message String,
    budget_ms Float64,
    latency_ms Float64,
    exhausted Bool,
    applied_assets Array(Tuple(asset_id String, kind String, version UInt32)),
    asked_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    answered_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    record String CODEC(ZSTD(3)) TTL toDateTime(answered_at) + INTERVAL 30 DAY,
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD),
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toDate(answered_at)
ORDER BY (tenant_id, toStartOfHour(answered_at), trace_id)
TTL toDateTime(answered_at) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000;
