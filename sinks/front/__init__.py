"""ClickHouse's HTTP interface over the embedded engine, as far as a client library and curl need it."""
