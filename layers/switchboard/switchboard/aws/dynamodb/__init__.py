"""ConversationsTable, and what each flow reads and writes of it.

`CH… / CONVERSATION` is a conversation's item, `CH… / TURN#<index>#<turn>` the record of a turn,
`BUDGET#<day> / CUSTOMER#<key>` the turns that a customer had on a day.
"""
