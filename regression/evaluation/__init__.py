"""Questions with known truths: how they are written down, how an answer is judged, how the sum is told."""
