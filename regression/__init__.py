"""Is it still right? Questions with known answers, and how answers are held against them."""
