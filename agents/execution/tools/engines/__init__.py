"""Stores behind one small protocol, one a file. They block: they run in an adapter's threads."""
