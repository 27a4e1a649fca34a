"""The PromQL guard: every selector bound to the tenant."""
