"""From events of a trace to its one answer."""
