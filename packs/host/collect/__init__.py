"""Collectors: one store a file. They read this machine and write; nothing here decides or answers."""
