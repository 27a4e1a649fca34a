"""The one way out over HTTP: every address judged, every byte counted."""
