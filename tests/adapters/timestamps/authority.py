"""A timestamp authority for tests: OpenSSL's, behind a small HTTP server, with a root and a certificate of its own."""

import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

MISSING = shutil.which("openssl") is None
needs_openssl = pytest.mark.skipif(MISSING, reason="TIMESTAMPS ARE NOT CHECKED: install openssl, as .ci/run does")
CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """Its root certificate is ``root``. ``answer``, where set, is sent instead of a token: a status and a body."""

    def __init__(self, folder: Path, name: str = "Test TSA") -> None:
        folder.mkdir(parents=True)
        self.folder, self.root = folder, folder / "root.pem"
        self.answer: tuple[int, bytes] | None = None
        self.requests: list[bytes] = []
        (folder / "config").write_text(CONFIG.format(folder=folder, name=name))
        (folder / "serial").write_text("01\n")
        self._run("req", "-x509", *self._new("root"), "-extensions", "root", "-days", "30", "-out", "root.pem")
        self._run("req", *self._new("tsa"), "-subj", f"/CN={name} 1", "-out", "tsa.csr")
        signed = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-extfile", "config")
        self._run(
            "x509", "-req", "-in", "tsa.csr", *signed, "-extensions", "stamping", "-days", "30", "-out", "tsa.pem"
        )

    def _new(self, name: str) -> tuple[str, ...]:
        elliptic = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
        return (*elliptic, "-nodes", "-keyout", f"{name}.key", "-config", "config")

    def _run(self, *arguments: str, data: bytes = b"") -> bytes:
        command = ["openssl", *arguments]
        done = subprocess.run(command, cwd=self.folder, input=data, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def reply(self, request: bytes) -> bytes:
        """The token for a request."""
        (self.folder / "request").write_bytes(request)
        return self._run("ts", "-reply", "-queryfile", "request", "-config", "config", "-section", "here")

    def accepts(self, data: Path, token: Path) -> bool:
        """What OpenSSL itself says of a token, with the root certificate."""
        files = ("-data", str(data), "-in", str(token), "-CAfile", "root.pem")
        done = subprocess.run(["openssl", "ts", "-verify", *files], cwd=self.folder, capture_output=True, check=False)
        return done.returncode == 0

    def __enter__(self) -> "Authority":
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = self.rfile.read(int(self.headers["Content-Length"]))
                authority.requests.append(request)
                status, body = authority.answer or (200, authority.reply(request))
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
