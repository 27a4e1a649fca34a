"""Pure decisions: allow, or refuse with code, reason and suggestion."""
