"""The tap piped into target-duckdb; the state that the target acknowledges is kept for the next run. README.md says why so."""

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import duckdb
from rows import arguments, show  # ty: ignore[import-not-found]

HERE, TARGET = Path(__file__).resolve().parent, Path(sys.executable).with_name("target-duckdb")


def sync(url: str, token: str, folder: Path, now: str) -> int:
    """Run tap and target once and return the exit status."""
    files = {name: folder / f"{name}.json" for name in ("tap", "target", "state")}
    files["tap"].write_text(json.dumps({"url": url, "token": token, "now": now}))
    target = {"path": str(folder / "data.duckdb"), "default_target_schema": "peer", "batch_size_rows": 100_000}
    files["target"].write_text(json.dumps(target))
    state = ["--state", str(files["state"])] if files["state"].exists() else []
    with (
        subprocess.Popen([sys.executable, str(HERE / "tap.py"), "--config", str(files["tap"]), *state], stdout=subprocess.PIPE) as tap,
        subprocess.Popen([str(TARGET), "--config", str(files["target"])], stdin=tap.stdout, stdout=subprocess.PIPE, text=True) as loader,
    ):
        if tap.stdout:
            tap.stdout.close()  # the loader's alone, so that the tap hears of its end
        for line in loader.stdout or ():
            draft = files["state"].with_suffix(".draft")
            draft.write_text(line)
            draft.replace(files["state"])
    return max(abs(tap.returncode), abs(loader.returncode))


def main() -> int:
    """Sync once, or show the rows."""
    given = arguments()
    if given.what == "sync":
        return sync(given.url, given.token, given.folder, given.now)
    with duckdb.connect(str(given.folder / "data.duckdb"), read_only=True) as connection:
        for table, columns in (
            ("work_orders", "title, status, priority, timeItems, sequentialId, null"), ("assets", "name, null, null, null, null, null")
        ):  # fmt: skip
            show(table, connection.sql(f"select id, epoch_ms(updatedAt), {columns} from peer.{table}").fetchall())
    return 0


if __name__ == "__main__":
    sys.exit(main())
