"""Every answer keeps to the document that the simulator serves of itself."""

import json
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from simulator.api import Simulator, document
from simulator.catalogue import COLLECTIONS
from tests.simulator.asking import Client


def _schema(node: Any) -> Any:
    """OpenAPI 3.0 says nullable where JSON Schema has a type of null; references into the document become local ones."""
    if isinstance(node, list):
        return [_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    read = {
        key: _schema(value)
        for key, value in node.items()
        if key not in {"nullable", "description", "example"} or not isinstance(value, (str, bool))
    }
    if node.get("nullable") is True:
        if isinstance(read.get("enum"), list):
            read["enum"] = [*read["enum"], None]
        return {"anyOf": [read, {"type": "null"}]}
    return read


@cache
def _validator(path: str, status: str = "200") -> Validator:
    whole = json.loads(document())
    answer = whole["paths"][path]["get"]["responses"][status]
    if "$ref" in answer:
        answer = whole["components"]["responses"][answer["$ref"].split("/")[-1]]
    schema = _schema(answer["content"]["application/json"]["schema"])
    return Draft202012Validator({**schema, "components": _schema(whole["components"])})


def _check(path: str, answer: Any, status: str = "200") -> None:
    problems = [f"{'/'.join(map(str, each.absolute_path))}: {each.message}" for each in _validator(path, status).iter_errors(answer)]
    assert problems == []


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda each: each.path)
def test_list_rows_keep_to_the_document_bare_and_with_every_expand(client, collection):
    for expands in ([], list(collection.expands)):
        parameters = {"expand": expands} if expands else {}
        for row_page in (client.get(collection.path, limit=200, **parameters), client.get(collection.path, limit=1)):
            _check(f"/{collection.path}", row_page)


@pytest.mark.parametrize("collection", [each for each in COLLECTIONS if each.item], ids=lambda each: each.path)
def test_single_records_keep_to_the_document(client, collection):
    for row in client.rows(collection.path, limit=200)[::20]:
        _check(f"/{collection.path}/{{id}}", client.get(f"{collection.path}/{row['id']}"))
        if collection.item_expands:
            _check(f"/{collection.path}/{{id}}", client.get(f"{collection.path}/{row['id']}", expand=list(collection.item_expands)))


def test_members_of_teams_keep_to_the_document(client):
    _check("/teams/{id}/members", client.get(f"teams/{client.rows('teams')[0]['id']}/members"))


def test_refusals_keep_to_the_document(client, switched):
    for parameters in ({"limit": 500}, {"nonsense": 1}, {"expand": "x"}):
        _check("/workorders", client.refusal("workorders", **parameters)[1], "400")
    _check("/workorders/{id}", client.refusal("workorders/1")[1], "404")
    strict = switched(rate_limit=0, clock=lambda: 0.0)
    _check("/workorders", strict.refusal("workorders")[1], "429")


def test_recorded_rows_keep_to_the_document(tmp_path):
    import gzip  # noqa: PLC0415

    from simulator.recorded import load  # noqa: PLC0415

    order = {
        "id": 1, "sequentialId": 1, "title": "Repair", "updatedAt": "2018-02-22T10:27:07.634Z", "status": "DONE", "dueDate": None,
        "vendorIds": [],
        "createdAt": "2018-02-14T03:13:00.000Z", "organizationId": 1001, "asset": {
            "id": 9, "name": "EL1", "description": None, "parentId": None, "criticalityId": None, "locationId": None, "serialNumber": None,
            "createdAt": "2018-02-14T00:00:00.000Z", "updatedAt": "2018-02-14T00:00:00.000Z", "creatorId": None,
        },
    }  # fmt: skip
    (tmp_path / "workOrders.ndjson.gz").write_bytes(gzip.compress(json.dumps(order).encode()))
    client = Client(Simulator(load(tmp_path)), "demo")
    _check("/workorders", client.get("workorders", expand=["asset", "vendor_ids"]))
