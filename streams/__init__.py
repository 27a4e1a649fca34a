"""The road: settings, topics, codecs, the batch lane, the Faust app, dead letters, the client's transport."""
