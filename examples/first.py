"""Create a conversation, send a message, list it. Start `make run` or `twilio-emulator` first; no account is needed."""

from switchboard import Provider

with Provider.local() as twilio:  # Provider.from_env() for an account of yours
    conversation = twilio.create_conversation("My first conversation")
    twilio.add_participant(conversation.sid, identity="visitor-00000000000000000000000000000001")
    twilio.send_message(conversation.sid, "Hello!")
    for message in twilio.list_messages(conversation.sid):
        print(f"{message.message_sid} from {message.author}: {message.body}")
