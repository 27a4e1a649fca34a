"""Writing the plant's tables, graph and documents into stores."""
