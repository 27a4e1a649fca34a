-- One row per span; its id is derived from what it spans, so a repeated event is the same span.
CREATE TABLE IF NOT EXISTS spans
(
    tenant_id LowCardinality(String),
    trace_id String,
    span_id String,
    parent_id String,
    name LowCardinality(String),
    kind LowCardinality(String),
    status LowCardinality(String),
    started_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    duration_ms Float64,
    tool_call_id String,
    retries UInt16,
    parallel Bool,
    error_code LowCardinality(String),
    evidence UInt8,
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(evidence)
PARTITION BY toDate(started_at)
ORDER BY (tenant_id, toStartOfHour(started_at), trace_id, span_id)
TTL toDateTime(started_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000;
