"""What a channel can carry: a reply becomes the bodies that SMS, WhatsApp and web chat accept."""
