-- One row per call of a tool, whether it ran, failed, timed out or was skipped. A call that never reported is
-- told by the answer (evidence 1) and gives way to what the tool's worker says itself (evidence 2).
CREATE TABLE IF NOT EXISTS tool_calls
(
    tenant_id LowCardinality(String),
    trace_id String,
    tool_call_id String,
    step_id LowCardinality(String),
    tool_type LowCardinality(String),
    tool_asset_id LowCardinality(String),
    tool_asset_version UInt32,
    policy_version UInt32,
    tool_name LowCardinality(String),
    started_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    ended_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    duration_ms Float64,
    status LowCardinality(String),
    error_code LowCardinality(String),
    error_message String,
    error_detail String,
    retry_count UInt16,
    execution_group_index UInt16,
    timeout_exceeded Bool,
    row_count UInt32,
    truncated Bool,
    source LowCardinality(String),
    query String CODEC(ZSTD(3)),
    cause LowCardinality(String),
    evidence UInt8,
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(evidence)
PARTITION BY toDate(ended_at)
ORDER BY (tenant_id, toStartOfHour(ended_at), trace_id, tool_call_id)
TTL toDateTime(ended_at) + INTERVAL 60 DAY
SETTINGS non_replicated_deduplication_window = 10000;
