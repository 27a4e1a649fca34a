"""Everything that becomes a row: batches, migrations and queries for ClickHouse. No other part holds its SQL."""
