"""Offices' servers for tests: real HTTP and TLS on loopback that misbehave as told. Not here: tests."""

import datetime
import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from resources.platforms import Offer, Register, load_register

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LOGIN_PAGE = "<html><form>用户登录 <input type='password'></form></html>".encode()
FETCHED = datetime.datetime(2026, 11, 24, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
LISTING = "/510000/health/returns"
FILE = "/510000/health/returns/health_annual-2024"

Answer = tuple[int, dict[str, str], bytes]
CUT = "X-Cut"
"""In an answer's headers: the connection ends after its bytes, whatever length they announce."""


class Server:
    """``answers[path]`` is an answer, a list of answers (the last one stays) or a function of the request."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, object] = {}
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.requests.append((self.path, dict(self.headers), body))
                status, headers, content = outer.answer(urlsplit(self.path).path, self, body)
                self.send_response_only(status)
                for name, value in ({"Content-Length": str(len(content))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = CUT in headers

            do_POST = do_GET

            def log_message(self, *_: object) -> None: ...

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None: ...  # a client that refuses our certificate is no news

        self.http = Quiet(("127.0.0.1", 0), Handler)
        if context is not None:
            # The handshake belongs into the thread of its connection: one that fails must not stop the others.
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.http.server_port}"
        self.template = self.url + "/{province}/{sector}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, path: str, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        found = self.answers.get(path, (404, {}, b""))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return found(request, body) if callable(found) else found

    def asked(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(urlsplit(path).path for path, _, _ in self.requests)


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server for the time of the block."""
    made = Server(context)
    try:
        yield made
    finally:
        made.http.shutdown()
        made.http.server_close()


def ok(data: object, **headers: str) -> Answer:
    """An envelope with ``data``."""
    content = json.dumps({"code": 0, "msg": "ok", "data": data}, ensure_ascii=False).encode()
    return 200, {"Content-Type": "application/json"} | headers, content


def row(name: str = "health_annual-2024", **changes: object) -> dict[str, object]:
    """A row of a listing."""
    facts = {
        "id": name, "form": "health_annual", "period": "2024", "file_name": "四川省2024年.xlsx",
        "modified": "2025-03-26T09:00:00+08:00", "etag": '"abc"', "media_type": XLSX,
    }  # fmt: skip
    return facts | changes


def offer(name: str = "health_annual-2024", sector: str = "health", province: str = "510000") -> Offer:
    """What a platform listed."""
    return Offer(province, sector, name, "health_annual", "2024", "四川省2024年.xlsx", FETCHED, '"abc"', XLSX)


def register_of(folder: Path, *, sector: str = "health", provinces: object = None, **defaults: object) -> Register:
    """A register of one sector, read from a file in ``folder``; a listing platform without auth, unless told."""
    keys = {"transport": "listing", "retries": {"tries": 3, "patience": 3, "first_wait": 0.01}} | defaults
    content = {"sector": sector, "defaults": keys, "provinces": provinces or {}}
    (folder / f"{sector}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return load_register(folder)


class Authority:
    """A private certificate authority whose files stand in ``folder``."""

    def __init__(self, folder: Path, name: str = "office") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(True, None), True)
        self.file = folder / f"{name}-authority.pem"
        self.file.write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, days: int = 2) -> tuple[Path, Path]:
        """Files of a certificate for 127.0.0.1 and of its key; ``days`` below zero: it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        made = self._builder(subject, key, days).add_extension(address, False).sign(self._key, hashes.SHA256())
        certificate_file, key_file = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate_file, key_file

    def context(self, *, days: int = 2, wants_client: bool = False) -> ssl.SSLContext:
        """For a server with a certificate of this authority, that asks clients for one too where told."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue("server", days))
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int = 2) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=10)).not_valid_after(now + datetime.timedelta(days=days))
        )  # fmt: skip
