"""AWS's wire: the only place where SQS records, DynamoDB items and secrets exist."""
