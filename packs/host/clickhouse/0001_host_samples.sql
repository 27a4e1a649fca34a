-- Figures about this machine, one row per series, metric and moment; a week is kept.
CREATE TABLE IF NOT EXISTS host_samples
(
    tenant_id LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    series LowCardinality(String),
    metric LowCardinality(String),
    value Float64 CODEC(Gorilla, ZSTD)
)
ENGINE = MergeTree
PARTITION BY toDate(at)
ORDER BY (tenant_id, metric, series, at)
TTL toDateTime(at) + INTERVAL 7 DAY;
