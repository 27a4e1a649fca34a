"""From a call to a result: one guarded path."""
