"""A file in a message, which Twilio calls media: what it is called, and how big it is."""

from dataclasses import dataclass

# What a file is called, by its content type or the first part of that; "file" is any other.
_KINDS = {"audio": "voice message", "image": "image", "video": "video"}
_DOCUMENTS = {"application/pdf": "document", "text/vcard": "contact", "text/x-vcard": "contact"}

VOICE_MESSAGE = "voice message"
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file. `size` is in bytes, None where Twilio does not say; `sid` is empty where it does not name the file."""

    content_type: str
    size: int | None = None
    sid: str = ""

    @property
    def plain_type(self) -> str:
        """The content type in small letters, without its parameters."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def kind(self) -> str:
        """What a reader calls it: image, document, voice message, contact, video or file."""
        return _DOCUMENTS.get(self.plain_type) or _KINDS.get(self.plain_type.partition("/")[0], "file")

    @property
    def line(self) -> str:
        """The file as an assistant reads of it: `[image: image/png, 42 KB]`."""
        size = "" if self.size is None else f", {_in_words(self.size)}"
        return f"[{self.kind}: {self.content_type}{size}]"


def _in_words(size: int) -> str:
    """Return a number of bytes as people write it; a file of some bytes is 1 KB."""
    return f"{size / _MEGABYTE:.1f} MB" if size >= _MEGABYTE else f"{max(1, round(size / 1_000))} KB"
