"""What exists and who may use it: assets, packs, capabilities, tenants."""
