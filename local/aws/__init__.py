"""AWS on one machine: the template read, Lambda functions in child processes, SQS and DynamoDB by ministack."""
