"""The command line, one command a file, and the wiring: the only place that sees every part."""
