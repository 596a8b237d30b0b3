"""OpenAI's `/v1/chat/completions` and `/v1/models`, where `model` is the base model's name or an adapter's."""

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from trainer.errors import BAD_SPEC, JobError

_LONGEST_BODY = 8 * 1024 * 1024
_REMEDY = "set ATTUNE_NODE_ADDRESS of its GPU worker to an address of that machine"


class Chat(Protocol):
    """What the front needs of an engine."""

    @property
    def models(self) -> list[str]: ...

    def chat(self, request: dict[str, Any]) -> dict[str, Any]: ...


def _error(message: str, kind: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def answer_chat(engine: Chat, body: bytes) -> tuple[int, dict[str, Any]]:
    """HTTP status and JSON of a chat request."""
    try:
        request = json.loads(body)
    except ValueError as error:
        return 400, _error(f"the body is not JSON: {error}", "invalid_request_error")
    if not isinstance(request, dict) or not isinstance(request.get("messages"), list):
        return 400, _error("messages: expected a list", "invalid_request_error", param="messages")
    name = request.get("model")
    if name not in engine.models:
        text = f"The model {name!r} does not exist here; it serves {', '.join(engine.models)}"
        return 404, _error(text, "invalid_request_error", "model_not_found", "model")
    if request.get("stream"):
        return 400, _error("streaming is not served; leave stream out", "invalid_request_error", param="stream")
    answer = engine.chat(request)
    if "choices" in answer:
        return 200, answer
    fault = answer.get("error", answer)
    status = fault.get("code", 500)
    status = status if isinstance(status, int) and 400 <= status <= 599 else 500
    return status, _error(str(fault.get("message", fault)), str(fault.get("type", "server_error")))


class Front(ThreadingHTTPServer):
    """The HTTP server; `served` counts answered completions."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, engine: Chat, address: str) -> None:
        try:
            super().__init__((address, 0), _Handler)
        except OSError as error:
            raise JobError(BAD_SPEC, f"spec.json: address: nothing can listen at {address} ({error}); {_REMEDY}") from None
        self.address = address
        self.engine = engine
        self.served = 0
        self.completion_tokens = 0
        self._count = threading.Lock()

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of a name for the address, which waits where no DNS server answers."""
        socketserver.TCPServer.server_bind(self)

    @property
    def endpoint(self) -> str:
        """OpenAI base URL under which other machines reach it too, where the address is not loopback."""
        return f"http://{self.address}:{self.port}/v1"

    @property
    def port(self) -> int:
        """The free port that the system gave."""
        return int(self.server_address[1])

    def count(self, answer: dict[str, Any]) -> None:
        """Book an answered completion."""
        with self._count:
            self.served += 1
            self.completion_tokens += int(answer.get("usage", {}).get("completion_tokens", 0))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Header and body leave in two writes; with Nagle's algorithm the second would wait for an acknowledgement.
    disable_nagle_algorithm = True
    server: Front

    def _send(self, status: int, value: dict[str, Any]) -> None:
        content = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        if self.path == "/health":
            self._send(200, {"status": "ok"})
        elif self.path == "/v1/models":
            models = [{"id": name, "object": "model", "created": 0, "owned_by": "attune"} for name in self.server.engine.models]
            self._send(200, {"object": "list", "data": models})
        else:
            self._send(404, _error(f"no route GET {self.path}", "invalid_request_error"))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LONGEST_BODY:
            self.close_connection = True
            self._send(413, _error(f"the body has {length} bytes, more than {_LONGEST_BODY}", "invalid_request_error"))
            return
        body = self.rfile.read(length)
        if self.path != "/v1/chat/completions":
            self._send(404, _error(f"no route POST {self.path}", "invalid_request_error"))
            return
        status, answer = answer_chat(self.server.engine, body)
        if status == 200:
            self.server.count(answer)
        self._send(status, answer)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are in the callers' records; the job's log is for faults."""
