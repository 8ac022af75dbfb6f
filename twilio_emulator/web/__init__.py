"""What a browser loads of the emulator: the phones, and what they are drawn with."""
