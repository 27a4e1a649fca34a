"""Dead letters as commands see them, from ClickHouse or from the topic itself."""
