"""The HTTP interface: a plain producer and consumer of the same topics as everybody else's."""
