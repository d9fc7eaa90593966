"""A server on this machine, for tests whose code asks one over HTTP or mail."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(server):
    """Run a socket server during the block, and yield its port."""
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def answering(answer, token=None):
    """Serve HTTP during the block; yield the address and the list of what came: the path and the body of each request.

    `answer` is called with the path, and returns the status and what is sent: bytes as they are, all else as JSON.
    With a `token`, requests without it are answered with the status 401.
    """
    came = []

    class Handler(BaseHTTPRequestHandler):
        def respond(self):
            came.append((self.path, self.rfile.read(int(self.headers.get("Content-Length", 0)))))
            status, content = answer(self.path)
            if token and self.headers.get("Authorization") != f"Bearer {token}":
                status = 401
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = respond  # noqa: N815

        def log_message(self, *_):
            """Say nothing."""

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}", came
