"""The batch lane: a Faust transport that hands whole fetched batches to agents, with ordered acknowledgement.

Faust keeps membership, rebalance, tables, recovery, the commit timer, supervision and timers. The lane replaces the
way of a record from the consumer to an agent, the bookkeeping of what may be committed, and the sending."""
