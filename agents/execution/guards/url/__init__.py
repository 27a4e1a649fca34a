"""The URL guard: which addresses may be dialled, on every hop."""
