"""Who may talk to whom: TLS with certificates made here, users, passwords and their secrecy."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import logging
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pipeline.broker import EmbeddedBroker
from pipeline.sinks.mqtt.settings import MqttConfigError, MqttSettings
from pipeline.sinks.mqtt.sink import MqttSink
from pipeline.sinks.sink import SinkUnavailableError
from tests.example_session import FACTS, session
from tests.mosquitto_server import Mosquitto, find_program
from tests.pipeline.sinks.mqtt.ear import PATIENCE_S, Ear

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Authority:
    """A certificate authority that lives as long as a test."""

    folder: Path
    name: str = "ca"

    def __post_init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(self.name, key, self.name, key, authority=True)
        object.__setattr__(self, "_key", key)
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def issue(self, name: str) -> tuple[Path, Path]:
        """Files of a certificate for 127.0.0.1 and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer: ec.EllipticCurvePrivateKey = getattr(self, "_key")  # noqa: B009
        certificate = _certificate(name, key, self.name, signer, authority=False)
        cert_file, key_file = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cert_file, key_file


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        # which Python asks for from 3.13 on
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_usage(authority=authority), critical=True)
        .sign(signer, hashes.SHA256())
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def trouble(settings: MqttSettings) -> str:
    """What the sink says when it cannot deliver."""

    async def main() -> str:
        async with MqttSink(settings) as sink:
            with pytest.raises(SinkUnavailableError) as raised:
                await sink.deliver(FACTS, session())
            assert sink.trouble == str(raised.value)
            return str(raised.value)

    return asyncio.run(main())


def delivers(settings: MqttSettings) -> None:
    """An event goes there and comes back."""

    async def main() -> None:
        async with Ear(settings) as ear, MqttSink(settings) as sink:
            await sink.deliver(FACTS, session())
            await ear.message("forceband/band-left/event/session")

    asyncio.run(main())


def test_tls_with_client_certificates_delivers_and_refuses_strangers(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "other-ca")
    server_cert, server_key = authority.issue("server")
    cert_file, key_file = authority.issue("client")
    false_cert, false_key = stranger.issue("false-client")
    demands = (
        f"cafile {authority.file}\ncertfile {server_cert}\nkeyfile {server_key}\n"
        "require_certificate true\nallow_anonymous true"
    )
    with Mosquitto(tmp_path, demands) as broker:
        known = MqttSettings(
            port=broker.port,
            tls=True,
            ca_file=authority.file,
            cert_file=cert_file,
            key_file=key_file,
        )
        delivers(known)
        delivers(replace(known, protocol="5"))
        assert "cert" in trouble(replace(known, cert_file=None, key_file=None))
        assert "cert" in trouble(replace(known, cert_file=false_cert, key_file=false_key))
        assert "is not trusted" in trouble(replace(known, ca_file=stranger.file))
        assert "is not trusted" in trouble(replace(known, ca_file=None))
        assert "is not trusted" in trouble(replace(known, host="localhost"))
        plain = MqttSettings(port=broker.port)
        assert "check tls" in trouble(plain)


def test_tls_to_a_port_without_tls_is_explained(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        assert "speaks TLS" in trouble(MqttSettings(port=broker.port, tls=True))


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_mosquitto_users_need_their_password(tmp_path: Path, protocol: str) -> None:
    users = tmp_path / "users"
    hasher = find_program("mosquitto_passwd", "mosquitto")
    subprocess.run([hasher, "-c", "-b", str(users), "ann", PASSWORD], check=True)
    with Mosquitto(tmp_path, f"allow_anonymous false\npassword_file {users}") as broker:
        ann = MqttSettings(
            port=broker.port,
            username="ann",
            password=PASSWORD,
            protocol="5" if protocol == "5" else "3.1.1",
        )
        delivers(ann)
        expected = "refused user ann: check username and password"
        assert expected in trouble(replace(ann, password="wrong"))
        assert "without user name" in trouble(replace(ann, username=None, password=None))


def test_the_embedded_broker_asks_for_its_password() -> None:
    async def main() -> None:
        async with EmbeddedBroker("0.0.0.0", username="ann", password=PASSWORD) as broker:
            ann = MqttSettings(port=broker.port, username="ann", password=PASSWORD)
            async with Ear(ann) as ear, MqttSink(ann) as sink:
                await sink.deliver(FACTS, session())
                await ear.message("forceband/band-left/event/session")
            for stranger in (
                replace(ann, password="wrong"),
                replace(ann, username="bob"),
                replace(ann, username=None, password=None),
            ):
                async with MqttSink(stranger) as sink:
                    with pytest.raises(SinkUnavailableError, match="check username and password"):
                        await sink.check()

    asyncio.run(main())


def test_a_broker_that_refuses_writing_is_explained(tmp_path: Path) -> None:
    # only MQTT 5 lets a broker say so
    rights = tmp_path / "rights"
    rights.write_text("topic read #\n")
    with Mosquitto(tmp_path, f"allow_anonymous true\nacl_file {rights}") as broker:
        said = trouble_of_delivery(MqttSettings(port=broker.port, protocol="5"))
        assert "refused a message (Not authorized)" in said
        assert "publish below forceband" in said


def trouble_of_delivery(settings: MqttSettings) -> str:
    """What is said when the broker is there and refuses an event."""

    async def main() -> str:
        async with MqttSink(settings) as sink:
            await asyncio.wait_for(sink.wait_connected(), PATIENCE_S)
            with pytest.raises(SinkUnavailableError) as raised:
                await sink.deliver(FACTS, session())
            return str(raised.value)

    return asyncio.run(main())


def test_a_password_is_neither_logged_nor_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto(tmp_path) as broker, caplog.at_level(logging.DEBUG):
        ann = MqttSettings(port=broker.port, username="ann", password=PASSWORD)
        delivers(ann)
        sink_repr = repr(ann) + str(ann)

    async def main() -> str:
        async with EmbeddedBroker(username="ann", password=PASSWORD) as own:
            async with MqttSink(replace(ann, port=own.port)) as sink:
                await sink.check()
            async with MqttSink(replace(ann, port=own.port, password=PASSWORD[::-1])) as sink:
                with pytest.raises(SinkUnavailableError) as raised:
                    await sink.check()
            return repr(own) + str(raised.value)

    with caplog.at_level(logging.DEBUG):
        shown = asyncio.run(main())
    for secret in (PASSWORD, PASSWORD[::-1]):
        assert secret not in caplog.text + sink_repr + shown


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    absent, text = tmp_path / "absent.pem", tmp_path / "text.pem"
    text.write_text("not a certificate")
    authority = Authority(tmp_path)
    cert_file, key_file = authority.issue("client")
    _, other_key = authority.issue("other")
    locked = tmp_path / "locked.key"
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"pass phrase"),
        )
    )
    good = MqttSettings(tls=True, ca_file=authority.file, cert_file=cert_file, key_file=key_file)
    assert MqttSink(good).trouble == ""
    for bad, named in (
        (replace(good, ca_file=absent), "absent.pem"),
        (replace(good, ca_file=text), "text.pem"),
        (replace(good, cert_file=absent), "absent.pem"),
        (replace(good, key_file=absent), "absent.pem"),
        (replace(good, key_file=other_key), "other.key"),
        (replace(good, key_file=locked), "locked.key"),
    ):
        with pytest.raises(MqttConfigError, match=named):
            MqttSink(bad)
