"""The measured program: a refresh that ends when everything is read and stored, without models; with `--sweep` everything is compared."""

import argparse
import sys

from dagster_project import refresh, settings
from dagster_project.warehouse.open import open_warehouse


def main(arguments: list[str]) -> int:
    """Read once."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extract", description=__doc__)
    parser.add_argument("--sweep", action="store_true")
    given = parser.parse_args(arguments)
    found = settings.load()
    report = refresh.RefreshReport(refresh.new_run_id())
    with open_warehouse(found) as warehouse:
        refresh.check_warehouse(found, warehouse)
        sources = refresh.organisations(found)
        for source in sources:
            if given.sweep:
                refresh.reconcile_organisation(source, warehouse, report, is_full=True)
            else:
                refresh.read_organisation(source, warehouse, report)
        refresh.write_sites(warehouse, sources)
    for why in report.failed.values():
        print(why, file=sys.stderr)
    return report.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
