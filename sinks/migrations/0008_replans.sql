-- One row per time another plan was asked for: the request (evidence 1), and over it the decision (evidence 2).
-- `patch` is JSON: which step had which tool before and after, and why; empty while there is no decision.
CREATE TABLE IF NOT EXISTS replans
(
    tenant_id LowCardinality(String),
    trace_id String,
    attempt UInt16,
    trigger LowCardinality(String),
    severity LowCardinality(String),
    reason String CODEC(ZSTD(3)),
    decision LowCardinality(String),
    failures String CODEC(ZSTD(3)),
    patch String CODEC(ZSTD(3)),
    requested_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    decided_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    evidence UInt8,
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(evidence)
PARTITION BY toDate(requested_at)
ORDER BY (tenant_id, toStartOfHour(requested_at), trace_id, attempt)
TTL toDateTime(requested_at) + INTERVAL 60 DAY
SETTINGS non_replicated_deduplication_window = 10000;
