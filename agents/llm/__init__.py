"""The language model: its client, its breaker, its prompts. Planner and tool use the same ones."""
