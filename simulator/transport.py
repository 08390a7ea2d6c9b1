"""The simulator in place of the network, for a client that takes an httpx transport."""

import httpx

from simulator.api import Simulator


def transport(simulator: Simulator) -> httpx.MockTransport:
    """Return a transport that answers from the simulator; what would take longer than the client waits raises its timeout at once."""

    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params.multi_items()
        response = simulator.respond(request.method, request.url.path, query, request.headers, request.read())
        patience = request.extensions.get("timeout", {}).get("read")
        if patience is not None and response.delay_seconds > patience:
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        if response.cut_at is not None:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body", request=request)
        return httpx.Response(response.status, headers=response.headers, content=response.body)

    return httpx.MockTransport(answer)
