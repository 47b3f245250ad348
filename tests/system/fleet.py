"""Servers that others write to: many small ones in this process, each on a port of its own."""

import http.server
import json
import threading
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def _public_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


PUBLIC_KEY = _public_key()


class Server:
    """One server with pip on it. `mode` says what its inbox does with what comes:
    `take`, `refuse` (403), or `hang up`."""

    def __init__(self, mode="take", wait_s=0.0):
        self.mode, self.wait_s = mode, wait_s
        self.received = []
        outer = self

        class Answer(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.show(self)

            def do_POST(self):
                outer.take(self)

            def log_message(self, *_):
                pass

        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.listener.daemon_threads = True
        self.host = f"127.0.0.1:{self.listener.server_address[1]}"
        self.actor = f"http://{self.host}/users/pip"
        self.handle = f"@pip@{self.host}"
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def show(self, request):
        document = {
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": self.actor,
            "type": "Person",
            "preferredUsername": "pip",
            "inbox": f"{self.actor}/inbox",
            "outbox": f"{self.actor}/outbox",
            "followers": f"{self.actor}/followers",
            "publicKey": {
                "id": f"{self.actor}#main-key",
                "owner": self.actor,
                "publicKeyPem": PUBLIC_KEY,
            },
        }
        found = request.path == "/users/pip"
        body = json.dumps(document).encode() if found else b""
        request.send_response(200 if found else 404)
        request.send_header("Content-Type", "application/activity+json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def take(self, request):
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        time.sleep(self.wait_s)
        if self.mode == "hang up":
            request.close_connection = True
            return
        if self.mode == "take":
            self.received.append(body)
        request.send_response(202 if self.mode == "take" else 403)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def got(self, kind, uri):
        """The ids of activities of this kind about this object that were taken."""
        about = lambda one: one["object"]["id"] if isinstance(one["object"], dict) else one["object"]
        return [one["id"] for one in self.received if one["type"] == kind and about(one) == uri]

    def stop(self):
        self.listener.shutdown()
        self.listener.server_close()
