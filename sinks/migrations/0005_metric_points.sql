-- One row per figure. `subject` is what the figure is about within its trace (a call, a stage), or where the
-- event lay on the road when it belongs to no trace: with it a repeated event is the same point.
CREATE TABLE IF NOT EXISTS metric_points
(
    tenant_id LowCardinality(String),
    name LowCardinality(String),
    at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    trace_id String,
    subject String,
    value Float64,
    plan_id String,
    tool_call_id String,
    stage_name LowCardinality(String),
    tool_type LowCardinality(String),
    reason LowCardinality(String),
    error_code LowCardinality(String),
    tags Map(LowCardinality(String), String),
    evidence UInt8
)
ENGINE = ReplacingMergeTree(evidence)
PARTITION BY toDate(at)
ORDER BY (tenant_id, name, toStartOfHour(at), trace_id, subject)
TTL toDateTime(at) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000;
