"""The source of the benchmarks: the simulator, and two controls more, `POST /_bench/change {"work_orders": 1000}` and a count.

Records lie in memory as JSON bytes; a page of 200 costs 2 to 3 ms of its own process, a tenth of what any reader needs for it.
"""

import argparse
import sys
from random import Random

import msgspec
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import plant
from simulator.api import Simulator
from simulator.instants import MINUTE
from simulator.server import application

PLACE_OF_CHANGE = "/_bench/change"
WORK_ORDERS_AT_SCALE_1 = 20_900


def change(simulator: Simulator, count: int, seed: int) -> int:
    """Give that many work orders, drawn evenly from all, another description a minute later; return how many changed."""
    world = simulator.world
    world.now += MINUTE
    ids = [(organisation, each) for organisation in world.organisations for each in world.table("work_orders", organisation).rows.encoded]
    chosen = Random(f"changes {seed} {world.now}").sample(ids, min(count, len(ids)))  # noqa: S311  no secret
    for organisation, record_id in chosen:
        world.change("work_orders", organisation, record_id, description=f"changed at {world.now}")
    return len(chosen)


def main(arguments: list[str]) -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.source", description=__doc__)
    parser.add_argument("--work-orders", type=int, required=True, help="about how many")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(arguments)
    simulator = Simulator(plant.build(given.seed, given.work_orders / WORK_ORDERS_AT_SCALE_1))

    async def changed(request: Request) -> Response:
        asked = msgspec.json.decode(await request.body())
        done = change(simulator, asked["work_orders"], given.seed)
        return Response(msgspec.json.encode({"changed": done}), media_type="application/json")

    async def counted(request: Request) -> Response:
        rows = simulator.world.table("work_orders", int(request.path_params["organisation"])).rows.encoded
        return Response(msgspec.json.encode({"work_orders": len(rows)}), media_type="application/json")

    served = application(simulator)
    served.routes.append(Route("/_bench/work_orders/{organisation}", counted, methods=["GET"]))
    served.routes.append(Route(PLACE_OF_CHANGE, changed, methods=["POST"]))
    uvicorn.run(served, host="127.0.0.1", port=given.port, log_level="warning", date_header=False, server_header=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
