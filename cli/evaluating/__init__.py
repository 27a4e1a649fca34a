"""Asking many questions through a broker, and overhearing the plans that are made for them."""
