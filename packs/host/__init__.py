"""The pack about this very machine: real stores, filled with what can be read here."""
