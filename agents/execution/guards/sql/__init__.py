"""The SQL guard: five dialects, deny by default, every table bound to the tenant."""
