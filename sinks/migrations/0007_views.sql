-- What dashboards and queries read: each table with repeated deliveries already taken out.
CREATE VIEW IF NOT EXISTS slo_answers AS
SELECT tenant_id, trace_id, answered_at AS at, status, mode, latency_ms, fallback_used, replans, timed_out, error_code
FROM answers FINAL;

CREATE VIEW IF NOT EXISTS slo_points AS
SELECT tenant_id, name, at, trace_id, value, plan_id, tool_call_id, stage_name, tool_type, reason, error_code, tags
FROM metric_points FINAL;

CREATE VIEW IF NOT EXISTS slo_tool_calls AS
SELECT tenant_id, trace_id, tool_call_id, tool_type, tool_name, ended_at AS at, duration_ms, status, error_code, retry_count
FROM tool_calls FINAL;
