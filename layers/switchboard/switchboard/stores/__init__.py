"""Where a web process keeps its conversations: in memory, in a SQLite file, or in DynamoDB."""
