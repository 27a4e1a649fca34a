"""Packs: folders of declared assets, and the collectors that fill the stores they ask."""
