"""Serves HTTP/1.1 on the port that is the first argument."""

import hashlib
import http.server
import os
import socket
import struct
import sys

LARGE = 20_000_000


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/large":
            self.answer(bytes(n % 251 for n in range(1000)) * (LARGE // 1000))
        elif self.path == "/reset":
            self.reset_in_the_middle()
        else:
            self.answer(f"page {self.path}\n".encode())

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        digest = hashlib.sha256(body).hexdigest()
        expect = self.headers["Expect"]
        self.answer(f"{len(body)} {digest} {expect}\n".encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset_in_the_middle(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"." * 500_000)
        # Wait until the client has everything: a reset discards what is on its way.
        self.connection.settimeout(1)
        try:
            self.connection.recv(1)
        except TimeoutError:
            pass
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        # The library would end its side first, and the client would see an end.
        os.close(self.connection.detach())
        self.close_connection = True

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
