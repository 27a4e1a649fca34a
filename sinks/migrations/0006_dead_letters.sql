-- One row per event that could not be taken, named by where it lay; a letter that came back after a redrive
-- lies elsewhere and is a letter of its own.
CREATE TABLE IF NOT EXISTS dead_letters
(
    tenant_id LowCardinality(String),
    origin_topic LowCardinality(String),
    origin_partition Int32,
    origin_offset Int64,
    letter_topic LowCardinality(String),
    letter_partition Int32,
    letter_offset Int64,
    code LowCardinality(String),
    reason String CODEC(ZSTD(3)),
    at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    redriven UInt16,
    key_b64 Nullable(String),
    value_b64 Nullable(String) CODEC(ZSTD(3)),
    value_length UInt64,
    value_sha256 String,
    headers Array(Tuple(name String, value_b64 String))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(at)
ORDER BY (origin_topic, origin_partition, origin_offset)
TTL toDateTime(at) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000;
