"""AWS on one machine: Lambda functions run in child processes; ministack provides SQS, DynamoDB and the secret."""
