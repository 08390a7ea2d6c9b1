"""Start the simulator: a stand-in for the MaintainX API on this machine."""

import argparse
import sys
from dataclasses import fields
from datetime import datetime
from pathlib import Path

import msgspec
import uvicorn

from simulator import plant, recorded, saved
from simulator.api import Simulator
from simulator.instants import from_datetime
from simulator.options import BadSwitch, Options
from simulator.options import read as read_options
from simulator.server import application
from simulator.world import World


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        options = read_options({"rate_limit": str(given.rate_limit)}, given.switch)
        world = _world(given, options)
    except (recorded.BadRecording, BadSwitch, msgspec.DecodeError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    simulator = Simulator(world, options)
    _save(given, world)
    tokens = ", ".join(simulator.tokens)
    organisations = ", ".join(map(str, world.organisations))
    address, clock = f"http://{given.host}:{given.port}/v1", f"{world.instant:%Y-%m-%d %H:%M} UTC"
    print(f"simulator: {address} · organisations {organisations} · tokens {tokens} · clock {clock}", flush=True)
    server = application(simulator, on_advance=lambda: _save(given, world))
    uvicorn.run(server, host=given.host, port=given.port, log_level="warning", date_header=False, server_header=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A stand-in for the MaintainX REST API: a simulated company (two organisations, three sites), or recorded lists.",
        epilog="Controls, without a token: GET /_simulator/state, POST /_simulator/advance {days, hours, minutes}, "
        "POST and DELETE /_simulator/faults, GET /_simulator/requests.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, default=8790, help="port to listen at")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another company")
    parser.add_argument("--scale", type=_scale, default=1.0, help="size of the company: 1 is about 20,000 work orders, 50 a million")
    parser.add_argument(
        "--load", type=Path, metavar="DIR", help="serve the recorded lists (*.ndjson.gz) of a folder instead of the company"
    )
    parser.add_argument("--state", type=Path, metavar="DIR", help="folder that keeps the clock, so that a restart goes on where it stopped")
    parser.add_argument(
        "--rate-limit", type=int, default=100_000, metavar="N", help="requests per user and minute; the real API allows 100"
    )
    names = ", ".join(sorted(each.name for each in fields(Options) if each.name not in {"rate_limit", "default_sorts"}))
    parser.add_argument(
        "--switch", action="append", default=[], metavar="NAME=VALUE", help=f"behave otherwise where nobody knows, may be repeated: {names}"
    )
    return parser


def _scale(text: str) -> float:
    scale = float(text)
    if not 0 < scale <= 100:
        raise argparse.ArgumentTypeError("must be above 0, and 100 at most")
    return scale


def _world(given: argparse.Namespace, options: Options) -> World:
    before = None if given.state is None else saved.read(given.state)
    goes_on = before is not None and before.is_of(given.seed, given.scale, _folder(given))
    now: datetime = before.now if before is not None and goes_on else plant.DEMO_START
    if given.load is None:
        return plant.build(given.seed, given.scale, now, options)
    world = recorded.load(given.load)
    if goes_on:
        world.run_until(from_datetime(now))
    return world


def _folder(given: argparse.Namespace) -> str | None:
    return None if given.load is None else str(given.load.resolve())


def _save(given: argparse.Namespace, world: World) -> None:
    if given.state is not None:
        saved.write(given.state, saved.Saved(given.seed, given.scale, world.instant, _folder(given)))


if __name__ == "__main__":
    sys.exit(main())
