"""What kept us from the MQTT broker, in sentences for the person."""

from __future__ import annotations

import socket
import ssl

from pipeline.sinks.mqtt.settings import MqttSettings

CREDENTIALS = ("Not authorized", "Bad user name or password")


def why_unreachable(settings: MqttSettings, error: BaseException) -> str:
    """What an exception on the way to the broker means, and what to do."""
    there = settings.address
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"the certificate of the MQTT broker at {there} is not trusted "
                f"({error.verify_message}): check host and ca_file"
            )
        case ssl.SSLError():
            return (
                f"no TLS with the MQTT broker at {there} ({error.reason or error}): "
                "check that this port speaks TLS, and cert_file if it asks for a certificate"
            )
        case socket.gaierror():
            return f"the MQTT broker's name {settings.host} is not known: check host"
        case TimeoutError():
            return f"the MQTT broker at {there} does not answer: check host, port and network"
        case ConnectionRefusedError():
            return f"no MQTT broker listens at {there}: start it, or check host and port"
        case ConnectionResetError() if settings.tls:
            return f"{there} hangs up on TLS: check that this port speaks TLS"
        case _:
            reason = getattr(error, "strerror", None) or error
            return f"the MQTT broker at {there} cannot be reached: {reason}"


def why_refused(settings: MqttSettings, reason: str) -> str:
    """What the broker's own refusal means, and what to do."""
    there = settings.address
    if reason in CREDENTIALS:
        who = f"user {settings.username}" if settings.username else "a client without user name"
        return f"the MQTT broker at {there} refused {who}: check username and password"
    if reason == "Unsupported protocol version":
        return (
            f"the MQTT broker at {there} does not speak MQTT {settings.protocol}: set protocol "
            f"to {'3.1.1' if settings.protocol == '5' else '5'}"
        )
    return f"the MQTT broker at {there} refused the connection: {reason}"


def why_not_taken(settings: MqttSettings, reason: str) -> str:
    """The broker is there and does not take a message."""
    return (
        f"the MQTT broker at {settings.address} refused a message ({reason}): may "
        f"{settings.username or 'everybody'} publish below {settings.base_topic}?"
    )


def why_hung_up(settings: MqttSettings, size: int) -> str:
    """The broker ends the connection at a message, time and again."""
    return (
        f"the MQTT broker at {settings.address} hangs up on a message of {size} bytes: raise its "
        "limit (max_packet_size or message_size_limit of mosquitto)"
    )


def why_silent(settings: MqttSettings, seconds: float) -> str:
    """The broker took the connection and said nothing."""
    hints = ["whether an MQTT broker listens there"]
    if not settings.tls:
        hints.append("whether it wants TLS")
    if settings.protocol == "5":
        hints.append("whether it speaks MQTT 5")
    return (
        f"{settings.address} took the connection but did not answer within {seconds:g} s: "
        f"check {' and '.join(hints)}"
    )


def why_lost(settings: MqttSettings, reason: str, welcomed: bool) -> str:
    """The connection ended without an error of ours."""
    there = settings.address
    if welcomed:
        return f"the connection to the MQTT broker at {there} was lost ({reason})"
    hints = ["cert_file, if it asks for a client certificate"] if settings.tls else ["tls"]
    hints += ["protocol"]
    return (
        f"the MQTT broker at {there} closed the connection before it answered: "
        f"check {', and '.join(hints)}"
    )
