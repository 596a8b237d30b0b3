"""An S3 server (moto) on the address that is its argument, which checks conditions and writes as one step, as S3 does. Prints its port; ends with its stdin."""

import io
import os
import sys
import threading

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

lock = threading.Lock()
app = DomainDispatcherApplication(create_backend_app)


def serial(environ, start_response):
    """The whole request is read first, so that a slow one does not hold the others up."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    if len(body) < length:
        start_response("400 Bad Request", [("Content-Length", "0")])
        return [b""]
    environ["wsgi.input"] = io.BytesIO(body)
    with lock:
        return list(app(environ, start_response))


class Quiet(MotoRequestHandler):
    def log(self, *_args: object) -> None:
        pass


server = make_server(sys.argv[1], 0, serial, threaded=True, request_handler=Quiet)
print(server.server_port, flush=True)


def end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
server.serve_forever()
