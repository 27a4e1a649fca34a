"""Reading questions about datasets: from words to a structured query, without a template."""
