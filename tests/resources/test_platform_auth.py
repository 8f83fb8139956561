"""Who we are to a platform: signatures, passwords, certificates; and whom we trust. No secret is ever shown."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from resources.errors import PlatformRefused
from resources.platforms import PlatformClient, Register
from resources.platforms.asking import Asking
from resources.platforms.auth import canonical_text
from tests.resources.platform_servers import LISTING, Answer, Authority, Server, ok, register_of, serving

EMPTY = ok({"total": 0, "rows": []})
NAMES = {"id_from": "OFFICE_ID", "secret_from": "OFFICE_SECRET"}


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFICE_ID", "均衡")
    monkeypatch.setenv("OFFICE_SECRET", "s3cret")


def signed_listing(secret: str, oldest_seconds: float = 60.0) -> Callable[..., Answer]:
    """What an office's gateway does: signs the request anew, and takes neither a stale nor a used one."""
    used: set[str] = set()

    def answer(request: BaseHTTPRequestHandler, _: bytes) -> Answer:
        parts = urlsplit(request.path)
        sent = dict(parse_qsl(parts.query, keep_blank_values=True))
        signature = sent.pop("signature", "")
        pairs = sorted((quote(k, safe="-._~"), quote(v, safe="-._~")) for k, v in sent.items())
        text = f"GET\n{request.headers['Host']}\n{parts.path}\n" + "&".join(f"{k}={v}" for k, v in pairs)
        is_right = hmac.compare_digest(signature, hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest())
        is_fresh = abs(time.time() - float(sent["timestamp"])) <= oldest_seconds and sent["nonce"] not in used
        used.add(sent["nonce"])
        return EMPTY if is_right and is_fresh else (401, {}, b"")

    return answer


def test_a_query_is_signed_as_the_gateway_signs_it(named: None, tmp_path: Path):
    with (
        serving() as server,
        PlatformClient(register_of(tmp_path, auth={"kind": "hmac"} | NAMES), server.template) as client,
    ):
        server.answers[LISTING] = signed_listing("s3cret")
        for _ in range(2):
            assert client.list_returns("510000", "health", form="health annual/年").rows == ()
        assert "s3cret" not in server.requests[0][0]


def test_a_wrong_secret_is_refused_and_no_signature_is_shown(named: None, tmp_path: Path):
    with (
        serving() as server,
        PlatformClient(register_of(tmp_path, auth={"kind": "hmac"} | NAMES), server.template) as client,
    ):
        server.answers[LISTING] = signed_listing("another")
        with pytest.raises(PlatformRefused, match="refuses the credentials") as caught:
            client.list_returns("510000", "health")
    assert caught.value.url == f"{server.url}{LISTING}"
    assert not {"s3cret", "signature", "nonce"} & set(str(caught.value).replace("=", " ").split())


def test_a_stale_signature_is_refused(named: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with serving() as server:
        server.answers[LISTING] = signed_listing("s3cret")
        client = PlatformClient(register_of(tmp_path, auth={"kind": "hmac"} | NAMES), server.template)
        monkeypatch.setattr(client.asking._credentials, "_now", lambda: time.time() - 3600)
        with pytest.raises(PlatformRefused, match="refuses the credentials"):
            client.list_returns("510000", "health")


def test_the_canonical_text_is_the_documented_one():
    parameters = [("timestamp", "1"), ("a", "x y/年"), ("a", "b")]
    assert canonical_text("GET", "Host.CN:8443", "", parameters) == (
        "GET\nhost.cn:8443\n/\na=b&a=x%20y%2F%E5%B9%B4&timestamp=1"
    )


def test_basic_sends_user_and_password_in_the_head(named: None, tmp_path: Path):
    with (
        serving() as server,
        PlatformClient(register_of(tmp_path, auth={"kind": "basic"} | NAMES), server.template) as client,
    ):
        server.answers[LISTING] = EMPTY
        client.list_returns("510000", "health")
        sent = server.requests[0][1]["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == "均衡:s3cret"


@pytest.mark.parametrize("kind", ["bearer", "hmac", "basic"])
def test_a_variable_that_is_not_set_is_named(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OFFICE_ID", "junheng")
    with (
        serving() as server,
        PlatformClient(register_of(tmp_path, auth={"kind": kind} | NAMES), server.template) as client,
    ):
        with pytest.raises(PlatformRefused, match="set OFFICE_SECRET") as caught:
            client.list_returns("510000", "health")
        assert caught.value.kind == "not_configured"
        assert server.requests == []


def test_a_token_comes_from_the_path_that_the_register_names(named: None, tmp_path: Path):
    auth = {"kind": "bearer", "token_path": "/oauth/token"} | NAMES
    with serving() as server, PlatformClient(register_of(tmp_path, auth=auth), server.template) as client:
        server.answers["/510000/health/oauth/token"] = ok({"access_token": "t", "expires_in": 60})
        server.answers[LISTING] = EMPTY
        client.list_returns("510000", "health")
        assert server.requests[1][1]["Authorization"] == "Bearer t"


def test_a_renewed_token_is_counted(named: None, tmp_path: Path):
    with (
        serving() as server,
        PlatformClient(register_of(tmp_path, auth={"kind": "bearer"} | NAMES), server.template) as client,
    ):
        server.answers["/510000/health/token"] = ok({"access_token": "t", "expires_in": 60})
        server.answers[LISTING] = [(401, {}, b""), EMPTY]
        client.list_returns("510000", "health")
        assert [(each.kind, each.count) for each in client.incidents()] == [("renewed_token", 1)]


def test_a_token_that_would_break_the_head_of_a_request_is_refused(named: None, tmp_path: Path):
    with (
        serving() as server,
        PlatformClient(register_of(tmp_path, auth={"kind": "bearer"} | NAMES), server.template) as client,
    ):
        server.answers["/510000/health/token"] = ok({"access_token": "t\r\nHost: x", "expires_in": 60})
        with pytest.raises(Exception, match="without access_token"):
            client.list_returns("510000", "health")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def over_tls(server: Server, tmp_path: Path, **keys: object) -> PlatformClient:
    folder = tmp_path / "register"
    folder.mkdir()
    server.answers[LISTING] = EMPTY
    return PlatformClient(register_of(folder, **keys), server.template)


def test_a_certificate_of_nobody_we_know_is_not_trusted(authority: Authority, tmp_path: Path):
    with serving(authority.context()) as server, over_tls(server, tmp_path) as client:
        with pytest.raises(PlatformRefused, match="its certificate is not trusted") as caught:
            client.list_returns("510000", "health")
        assert caught.value.kind == "untrusted_certificate"
        assert server.requests == []


def test_an_office_can_have_an_authority_of_its_own(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OFFICE_CA", str(authority.file))
    with serving(authority.context()) as server, over_tls(server, tmp_path, ca_file_from="OFFICE_CA") as client:
        assert client.list_returns("510000", "health").rows == ()


def test_the_authority_of_one_platform_is_not_that_of_another(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OFFICE_CA", str(authority.file))
    provinces = {"510000": {"ca_file_from": "OFFICE_CA"}}
    with serving(authority.context()) as server, over_tls(server, tmp_path, provinces=provinces) as client:
        assert client.list_returns("510000", "health").rows == ()
        with pytest.raises(PlatformRefused, match="not trusted"):
            client.list_returns("520000", "health")


def test_a_stale_certificate_is_not_trusted(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OFFICE_CA", str(authority.file))
    with (
        serving(authority.context(days=-1)) as server,
        over_tls(server, tmp_path, ca_file_from="OFFICE_CA") as client,
        pytest.raises(PlatformRefused, match="its certificate is not trusted"),
    ):
        client.list_returns("510000", "health")


CLIENT = {"kind": "client_certificate", "certificate_from": "OFFICE_CERTIFICATE", "key_from": "OFFICE_KEY"}


def test_a_platform_that_wants_our_certificate_gets_it(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    certificate, key = authority.issue("junheng")
    monkeypatch.setenv("OFFICE_CA", str(authority.file))
    monkeypatch.setenv("OFFICE_CERTIFICATE", str(certificate))
    monkeypatch.setenv("OFFICE_KEY", str(key))
    with (
        serving(authority.context(wants_client=True)) as server,
        over_tls(server, tmp_path, ca_file_from="OFFICE_CA", auth=CLIENT) as client,
    ):
        assert client.list_returns("510000", "health").rows == ()


def test_without_our_certificate_the_handshake_is_refused_by_name(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OFFICE_CA", str(authority.file))
    with (
        serving(authority.context(wants_client=True)) as server,
        over_tls(server, tmp_path, ca_file_from="OFFICE_CA") as client,
        pytest.raises(PlatformRefused, match="does it want a client certificate"),
    ):
        client.list_returns("510000", "health")


@pytest.mark.parametrize(
    ("value", "reason"),
    [(None, "set OFFICE_CERTIFICATE to it"), ("/nowhere/s3cret.pem", "OFFICE_CERTIFICATE names cannot be read")],
    ids=["not set", "not there"],
)
def test_a_certificate_that_is_lacking_is_named_by_its_variable(
    tmp_path: Path, value: str | None, reason: str, monkeypatch: pytest.MonkeyPatch
):
    if value:
        monkeypatch.setenv("OFFICE_CERTIFICATE", value)
    with serving() as server, PlatformClient(register_of(tmp_path, auth=CLIENT), server.template) as client:
        with pytest.raises(PlatformRefused, match=reason) as caught:
            client.list_returns("510000", "health")
        assert "/nowhere" not in str(caught.value)


def test_nothing_that_is_printed_holds_a_secret(named: None, tmp_path: Path):
    register: Register = register_of(tmp_path, auth={"kind": "hmac"} | NAMES)
    client = PlatformClient(register, "http://127.0.0.1:1/{province}/{sector}", "id", "s3cret")
    shown = repr(client) + repr(client.asking) + repr(register.platform("510000", "health")) + repr(Asking(None))
    assert "s3cret" not in shown


@pytest.mark.parametrize(
    "echo", ["client_id=a&client_secret=s3cret", "your signature=0123456789abcdef is wrong", "Bearer abcdef.0123456789"]
)
def test_a_secret_that_a_platform_repeats_is_repeated_no_further(named: None, tmp_path: Path, echo: str):
    with serving() as server:
        refused = (200, {"Content-Type": "application/json"}, f'{{"code":1001,"msg":"bad login: {echo}"}}'.encode())
        server.answers["/510000/health/token"] = refused
        client = PlatformClient(register_of(tmp_path, auth={"kind": "bearer"} | NAMES), server.template)
        with pytest.raises(PlatformRefused, match=r"bad login: .*\*\*\*") as caught:
            client.list_returns("510000", "health")
    assert not [word for word in ("s3cret", "0123456789") if word in str(caught.value) + caught.value.reason]
