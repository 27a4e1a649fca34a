-- One row per phase of a trace (planning, tool_resolution, execution, aggregation, response) and plan attempt.
-- The plan itself tells of planning first (evidence 1); the answer knows the budget too (evidence 2).
CREATE TABLE IF NOT EXISTS stages
(
    tenant_id LowCardinality(String),
    trace_id String,
    stage_name LowCardinality(String),
    attempt UInt16,
    status LowCardinality(String),
    started_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    duration_ms Float64,
    budget_ms Float64,
    exhausted Bool,
    asked_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    evidence UInt8,
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(evidence)
PARTITION BY toDate(asked_at)
ORDER BY (tenant_id, toStartOfHour(asked_at), trace_id, stage_name, attempt)
TTL toDateTime(asked_at) + INTERVAL 60 DAY
SETTINGS non_replicated_deduplication_window = 10000;
