"""Tests; what they share lives in tests/support."""
