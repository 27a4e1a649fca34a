"""What the terminal shows: answers, SLO figures, traces and errors, safe at any width and without colour."""
