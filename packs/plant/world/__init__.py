"""What the plant holds, as values: nothing here writes a file or talks to a store."""
