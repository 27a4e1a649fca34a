"""The parts that plan, execute and join; each a noun in plain Python and a thin Faust shell."""
