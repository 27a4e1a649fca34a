"""The producer's own plan: taken as it is once it is valid; nobody second-guesses its choice of tools."""

PRODUCER = "producer"
PRODUCER_REASONS = ("the question brought its own plan",)
