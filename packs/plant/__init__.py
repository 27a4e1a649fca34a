"""The plant: a sample world of an operations SaaS with two tenants, made by a generator, every value computable."""
