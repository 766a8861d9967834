"""Describe the surface as it is: OpenAPI 3.1, written by hand, with the endpoints that are configured and no others.

Every status that an endpoint can answer stands here, those that the server gives before any endpoint is asked too: a
test sends all sorts of requests and finds what is not.
"""

from typing import Any

import hubdata
from hubdata.worker.agenda import Answer

_Json = dict[str, Any]

_SECONDS = {"type": ["integer", "null"], "minimum": 0}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "advice": {"type": "string"}},
    "additionalProperties": False,
}
_SCHEMAS: _Json = {
    "Error": _ERROR,
    "Alive": {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"const": "alive"}},
        "additionalProperties": False,
    },
    "Readiness": {
        "type": "object",
        "required": ["ready", "ending", "jobs"],
        "properties": {
            "ready": {"type": "boolean"},
            "ending": {"type": "boolean", "description": "The worker was told to end."},
            "jobs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["job", "ready", "age_s", "max_age_s"],
                    "properties": {
                        "job": {"type": "string"},
                        "ready": {"type": "boolean", "description": "It is no obstacle."},
                        "age_s": {**_SECONDS, "description": "Since its last success; null: not known everywhere."},
                        "max_age_s": {**_SECONDS, "description": "Its limit; null: it has none."},
                    },
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
    },
    "Status": {
        "type": "object",
        "description": "docs/status.md has every field.",
        "required": ["schema", "written_at", "state", "verdict", "generation", "jobs"],
        "properties": {
            "schema": {"const": 1},
            "state": {"enum": ["good", "doubtful", "bad"]},
            "generation": {"type": "integer", "minimum": 0},
        },
    },
    "Run": {
        "type": "object",
        "required": ["answer"],
        "properties": {"job": {"type": "string"}, "answer": {"enum": [each.value for each in Answer]}},
        "additionalProperties": False,
    },
    "Heeded": {
        "type": "object",
        "required": ["answer", "jobs"],
        "properties": {
            "answer": {"type": "string", "description": "pong, heeded, repeated: ..., or ignored: and why."},
            "jobs": {
                "type": "object",
                "description": "What became of each job that was asked for. One that runs already runs once more.",
                "additionalProperties": {"enum": [each.value for each in Answer]},
            },
        },
        "additionalProperties": False,
    },
}


def document(*, token: bool, github: bool, metrics: bool) -> _Json:
    """Return the description of a worker that has a token, a webhook, metrics, or not."""
    paths: _Json = {
        "/": _read("The status page", {"200": _page(), "503": _problem("The target cannot be read, or too many ask.")}),
        "/healthz": _read("Whether the process answers", {"200": _json("It does.", "Alive")}),
        "/readyz": _read(
            "Whether every job's last success is within its max_age",
            {"200": _json("Every job is.", "Readiness"), "503": _json("Not all are, or it ends.", "Readiness")},
        ),
        "/status.json": _read(
            "The status for programs",
            {
                "200": _json("How all stands.", "Status"),
                "503": _problem("The target cannot be read, or too many ask."),
            },
        ),
        "/openapi.json": _read("This document", {"200": {**_said("It."), **_media("application/json", {})}}),
    }
    if metrics:
        text = {**_said("In Prometheus' text format."), **_media("text/plain", {"type": "string"})}
        paths["/metrics"] = _read("Metrics", {"200": text, "503": _problem("They cannot be had, or too many ask.")})
    if token:
        paths["/jobs/{name}/run"] = {"post": _run()}
    if github:
        paths["/hooks/github"] = {"post": _hook()}
    schemes = {"token": {"type": "http", "scheme": "bearer"}} if token else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "hubdata: the worker", "version": hubdata.__version__, "license": {"name": "MIT"}},
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "securitySchemes": schemes},
    }


def _read(summary: str, responses: _Json) -> _Json:
    """Return an endpoint for GET and HEAD."""
    heads = {status: {"description": each["description"]} for status, each in responses.items()}
    return {
        "get": {"summary": summary, "responses": {**_of_the_server(), **responses}},
        "head": {"summary": f"{summary}: headers alone", "responses": {**_of_the_server(), **heads}},
    }


def _run() -> _Json:
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[^/]+$"}}
    return {
        "summary": "Begin a run of this job",
        "security": [{"token": []}],
        "parameters": [name],
        "responses": {
            **_of_the_server(),
            "202": _json("A run was begun.", "Run"),
            "401": {
                **_problem("There is no token."),
                "headers": {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
            },
            "403": _problem("It is not the token."),
            "404": _either("There is no such job.", "Run"),
            "409": _json("It runs already.", "Run"),
            "503": _either("The worker ends, or too many ask.", "Run"),
        },
    }


def _hook() -> _Json:
    def header(name: str, pattern: str) -> _Json:
        return {"name": name, "in": "header", "required": True, "schema": {"type": "string", "pattern": pattern}}

    return {
        "summary": "A delivery of GitHub's webhook, signed with its secret",
        "parameters": [
            header("X-Hub-Signature-256", "^sha256=[0-9a-f]{64}$"),
            header("X-GitHub-Event", "^[a-z_]{1,64}$"),
            header("X-GitHub-Delivery", "^[0-9A-Za-z-]{1,72}$"),
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "description": "As GitHub sends it; a push has `ref` and `repository.full_name`.",
                    }
                }
            },
        },
        "responses": {
            **_of_the_server(),
            "200": _json("Signed, and nothing to be done.", "Heeded"),
            "202": _json("Runs were asked for.", "Heeded"),
            "400": _problem("A header is missing, the body broke off, or it is no HTTP."),
            "401": _problem("The signature is missing or wrong."),
            "408": _problem("The body took too long."),
            "413": _problem("The body is too large."),
            "415": _problem("It is not application/json."),
            "422": _problem("It is signed, but not what GitHub sends."),
            "429": {
                **_problem("Too many pushes at once."),
                "headers": {"Retry-After": {"required": True, "schema": {"type": "string"}}},
            },
            "503": _problem("The worker ends, knows none of the jobs, or too many ask."),
        },
    }


def _of_the_server() -> _Json:
    """Return what the server answers by itself."""
    return {
        "400": {**_said("This is no HTTP."), **_media("text/plain", {"type": "string"})},
        "500": _problem("A bug."),
        "503": _problem("Too many ask."),
    }


def _said(description: str) -> _Json:
    return {"description": description}


def _media(kind: str, schema: _Json) -> _Json:
    return {"content": {kind: {"schema": schema}}}


def _json(description: str, schema: str) -> _Json:
    return {**_said(description), **_media("application/json", {"$ref": f"#/components/schemas/{schema}"})}


def _problem(description: str) -> _Json:
    """Return an error: of our own, or the server's own words."""
    error = {"schema": {"$ref": "#/components/schemas/Error"}}
    return {**_said(description), "content": {"application/json": error, "text/plain": {"schema": {"type": "string"}}}}


def _either(description: str, schema: str) -> _Json:
    found = _problem(description)
    found["content"]["application/json"] = {
        "schema": {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in (schema, "Error")]}
    }
    return found


def _page() -> _Json:
    return {**_said("A page that needs nothing but itself."), **_media("text/html", {"type": "string"})}
