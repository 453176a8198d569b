"""An app for the official Python worker."""

import json
import os

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="hello/{name?}", methods=["GET", "POST"])
def hello(req: func.HttpRequest) -> func.HttpResponse:
    name = req.route_params.get("name") or req.params.get("name") or "world"
    body = json.dumps({"greeting": f"Hello, {name}!", "body": req.get_body().decode(), "pid": os.getpid()})
    return func.HttpResponse(body, mimetype="application/json", headers={"x-app": "python"})


@app.route(route="boom")
def boom(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("the python function failed")
