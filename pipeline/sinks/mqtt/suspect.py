"""Which message a broker hangs up on, found by sending it alone.

A broker that finds a message too big for it ends the connection, most without a word (MQTT 3.1.1
has none for it), and would at every attempt.
"""

from __future__ import annotations

from pipeline.sinks.mqtt.messages import Message

STRIKES = 3
"""Connections in a row that end while a message is the only one under way."""


class Suspect:
    """Counts the connections that ended while a message was under way.

    A message is guilty when it is longer than any that the broker has taken: one that hangs up on
    everything, because it lets us publish nothing, finds no message guilty.
    """

    def __init__(self) -> None:
        self.alone = False
        """Whether messages are to be sent one at a time, as some ended a connection together."""
        self._message: Message | None = None
        self._strikes = 0
        self._longest_taken = 0
        self._guilty: set[Message] = set()

    def lost(self, under_way: Message) -> None:
        """The connection ended before `under_way`, or one sent with it, was acknowledged."""
        if self.alone:
            self._strikes = self._strikes + 1 if under_way == self._message else 1
            self._message = under_way
            if self._strikes >= STRIKES and len(under_way.payload) > self._longest_taken > 0:
                self._guilty.add(under_way)
        self.alone = True

    def taken(self, message: Message) -> None:
        """The broker has acknowledged a message."""
        self._longest_taken = max(self._longest_taken, len(message.payload))
        if message == self._message:
            self._message = None

    def done(self) -> None:
        """All messages of a batch were taken or found guilty."""
        self.alone = False
        self._message = None
        self._guilty.clear()

    def guilty(self, message: Message) -> bool:
        """Whether there is no use in sending a message again."""
        return message in self._guilty

    @property
    def unproven(self) -> bool:
        """Whether it takes a shorter message to tell if length is the matter."""
        return bool(self.size_bytes) and not self._longest_taken

    @property
    def size_bytes(self) -> int:
        """Length of the message that several connections ended on; 0 while there is none."""
        return len(self._message.payload) if self._message and self._strikes >= STRIKES else 0
