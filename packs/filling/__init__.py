"""What packs fill their stores with: documents in pieces, stores that are replaced as a whole."""
