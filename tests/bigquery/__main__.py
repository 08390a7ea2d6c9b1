"""Say what BigQuery would refuse: `python -m tests.bigquery` of all models and data tests, or of those whose names are given."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bigquery.compiling import Verdict, analysed, compiled

asked = sys.argv[1:]
with TemporaryDirectory() as folder:
    found: Verdict = analysed(compiled(Path(folder)))
for name, why in sorted(found.errors.items()):
    if not asked or name in asked:
        print(f"{name}: {why}")
for name in asked:
    for table, columns in found.tables.items():
        if table.endswith(f".{name}"):
            print(f"{table}: {', '.join(f'{column} {kind}' for column, kind in columns.items())}")
sys.exit(bool(set(found.errors) & set(asked or found.errors)))
