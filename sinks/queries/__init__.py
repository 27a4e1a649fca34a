"""Questions put to ClickHouse, each with a typed answer."""
