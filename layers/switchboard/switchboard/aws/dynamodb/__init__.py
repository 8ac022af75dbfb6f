"""ConversationsTable, and what each flow reads and writes of it.

`CH… / CONVERSATION` is a conversation's item, `CH… / TURN#<index>#<turn>` the record of a turn,
`CUSTOMER#<key> / BUDGET#<day>` and `BUDGET#<day>#<shard> / BUDGET` the turns of a day.
"""
