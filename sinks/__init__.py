"""Everything that becomes a row: batches, migrations, queries. No other part holds ClickHouse SQL."""
