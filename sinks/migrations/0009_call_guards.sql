-- What the guards had to do with a call: remembered results, overrides that lifted a block (`id@version`), and how long
-- it stood before its tool's limit, breaker and places, over all tries.
ALTER TABLE tool_calls ADD COLUMN IF NOT EXISTS cached Bool;
ALTER TABLE tool_calls ADD COLUMN IF NOT EXISTS lifted Array(LowCardinality(String));
ALTER TABLE tool_calls ADD COLUMN IF NOT EXISTS waited_ms Float64;
