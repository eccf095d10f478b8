"""Compare what the page holds of others with their packages on npm, which has to be installed."""
# ruff: noqa: INP001, S603, S607 (a program, no package; it starts npm)

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "consumer/driftline/consumer/ui/static/vendor"


def main() -> int:
    """Fetch each package that the manifest names; return 1 where a file is not as it is there."""
    wrong = 0
    rows = json.loads((VENDOR / "manifest.json").read_text("utf-8"))
    for package in sorted({f"{row['package']}@{row['version']}" for row in rows}):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                ["npm", "pack", "--silent", package],
                cwd=folder,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                for row in rows:
                    if f"{row['package']}@{row['version']}" != package:
                        continue
                    original = archive.extractfile(f"package/{row['path']}")
                    same = original and original.read() == (VENDOR / row["file"]).read_bytes()
                    wrong += not same
                    sys.stdout.write(f"{'same' if same else 'OTHER'}  {package} {row['path']}\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
