"""A custom handler: a small web server is the whole app, in any language that can be one.

The host starts this program, waits until it listens, and then posts one request per invocation to /<function name>:

    {"Data": {"<input binding>": ...}, "Metadata": {...}}

The answer names the values for the output bindings, and lines for the invocation's log:

    {"Outputs": {"<output binding>": ...}, "ReturnValue": ..., "Logs": ["..."]}

Any status outside 200-299 means that the function has failed; the host then does what it does for a function that
throws: HTTP callers get a 500, a queue message comes again until it has failed too often.
"""

import json
import os
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def hello(data, _metadata):
    """GET or POST /api/hello/{name?}: try `curl localhost:7071/api/hello/Ada`."""
    request = data["req"]
    name = request["Params"].get("name") or request["Query"].get("name") or request.get("Body") or "world"
    response = {
        "statusCode": 200,
        "headers": {"content-type": "text/plain; charset=utf-8", "x-handler": "python"},
        "body": f"Hello, {name}!",
    }
    return {"Outputs": {"res": response}, "Logs": [f"greeted {name}"]}


def place_order(data, _metadata):
    """POST /api/orders: try `curl -d '{"item": "tea", "quantity": 2}' localhost:7071/api/orders`.

    One answer, two outputs: the HTTP response, and a message for the queue that process_order listens to.
    """
    try:
        order = json.loads(data["req"].get("Body", ""))
        accepted = {"item": order["item"], "quantity": int(order.get("quantity", 1))}
    except (ValueError, KeyError, TypeError):
        problem = {"error": 'send JSON like {"item": "tea", "quantity": 2}'}
        return {"Outputs": {"res": {"statusCode": 400, "body": problem}}}
    response = {"statusCode": 202, "body": {"accepted": accepted}}
    return {"Outputs": {"res": response, "order": accepted}, "Logs": [f"took an order for {accepted['item']}"]}


def process_order(data, metadata):
    """Runs for every message of the queue `python-orders`."""
    # Text inputs come as JSON inside a JSON string: the first decoding gives the message's text.
    order = json.loads(json.loads(data["order"]))
    if order["quantity"] < 1:
        # Raising fails the invocation: the message comes again, and after five tries it goes to python-orders-poison.
        raise ValueError(f"cannot deliver {order['quantity']} of {order['item']}")
    return {"Logs": [f"delivered {order['quantity']} x {order['item']} (try {metadata['DequeueCount']})"]}


# The names of the functions are the names of their folders.
FUNCTIONS = {"hello": hello, "place-order": place_order, "process-order": process_order}


class Handler(BaseHTTPRequestHandler):
    # Keeps connections open between invocations.
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        function = FUNCTIONS.get(self.path.strip("/"))
        if function is None:
            return self.answer(404, f"there is no function {self.path}", "text/plain")
        try:
            envelope = json.loads(body)
            result = function(envelope["Data"], envelope["Metadata"])
        except Exception as error:
            # What goes to stderr appears in the host's log, as an error.
            traceback.print_exc()
            return self.answer(500, f"{type(error).__name__}: {error}", "text/plain")
        return self.answer(200, json.dumps(result), "application/json")

    def answer(self, status, text, content_type):
        payload = text.encode()
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_arguments):
        """Says nothing about every request: the host logs the invocations."""


class Server(ThreadingHTTPServer):
    # Many invocations may begin at once.
    request_queue_size = 128


if __name__ == "__main__":
    # The host chooses the port. Listen on the loopback interface alone: nobody else is meant to call.
    port = int(os.environ.get("FUNCTIONS_CUSTOMHANDLER_PORT", "8080"))
    print(f"listening on port {port}", file=sys.stdout, flush=True)
    Server(("127.0.0.1", port), Handler).serve_forever()
