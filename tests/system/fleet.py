"""Servers that others write to: many small ones in this process, each on a port of its own."""

import base64
import http.server
import json
import ssl
import threading
import time
import urllib.parse

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
    `take`, `refuse` (403), or `hang up`. `face` is pip's picture, a PNG."""

    def __init__(self, mode="take", wait_s=0.0, face=None):
        self.mode, self.wait_s, self.face = mode, wait_s, face
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
        if self.face:
            document["icon"] = {"type": "Image", "mediaType": "image/png", "url": f"http://{self.host}/face.png"}
        found, kind, body = False, "application/activity+json", b""
        if request.path == "/users/pip":
            found, body = True, json.dumps(document).encode()
        elif request.path == "/face.png" and self.face:
            found, kind, body = True, "image/png", self.face
        request.send_response(200 if found else 404)
        request.send_header("Content-Type", kind)
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


class PushService:
    """Takes web pushes at an `endpoint`, over TLS, and tells of them at `outbox` as a sandbox does of
    what it would have sent (of that, what clients' tests ask: `DELETE /outbox` and `GET /assert`)."""

    def __init__(self, authority):
        self.sent, self.news = [], threading.Condition()
        outer = self

        class Take(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                one = {"headers": dict(self.headers), "body_base64": base64.b64encode(body).decode()}
                with outer.news:
                    outer.sent.append(one)
                    outer.news.notify_all()
                self.send_response(201)
                self.end_headers()

            def log_message(self, *_):
                pass

        class Tell(http.server.BaseHTTPRequestHandler):
            def do_DELETE(self):
                with outer.news:
                    outer.sent.clear()
                self.say(200, {})

            def do_GET(self):
                asked = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
                with outer.news:
                    outer.news.wait_for(lambda: outer.sent, float(asked["wait_s"][0]))
                    self.say(200 if outer.sent else 404, outer.sent)

            def say(self, status, what):
                body = json.dumps(what).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(own)
        self.listeners = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), each) for each in (Take, Tell)]
        take, tell = self.listeners
        take.socket = own.wrap_socket(take.socket, server_side=True)
        self.endpoint = f"https://localhost:{take.server_port}/x"
        self.outbox = f"http://127.0.0.1:{tell.server_port}"
        for listener in self.listeners:
            listener.daemon_threads = True
            threading.Thread(target=listener.serve_forever, daemon=True).start()

    def stop(self):
        for listener in self.listeners:
            listener.shutdown()
            listener.server_close()
