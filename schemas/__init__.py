"""Words on the wire: ids, error codes and events, one family a file. Nothing here does I/O."""
