"""From descriptions of other people's services to tool assets."""
