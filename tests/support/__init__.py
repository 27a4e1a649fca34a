"""What tests share: brokers to run against, and ways to talk to them."""
