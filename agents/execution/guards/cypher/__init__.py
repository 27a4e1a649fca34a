"""The Cypher guard: read by its grammar, written anew, every node bound to the tenant."""
