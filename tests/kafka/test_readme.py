"""The README's commands that need a broker, on a real one."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import Any

import kafka.errors
from tests.docs.readme import ROOT, blocks
from tests.docs.test_readme import WITH_A_BROKER
from tests.kafka.reader import wait_until
from tests.kafka.worker import PROGRAM


def test_the_commands_of_the_readme(
    bootstrap: str, admin: Any, prefix: str, tmp_path: Path
) -> None:
    with contextlib.suppress(kafka.errors.TopicAlreadyExistsError):
        admin.create_topics({"ml.predictions": {"num_partitions": 2, "replication_factor": 1}})
    (tmp_path / "references").mkdir()
    (text,) = blocks("yaml")
    (tmp_path / "driftline.yaml").write_text(text, encoding="utf-8")
    script = tmp_path / "retrain.sh"
    script.write_text("#!/bin/sh\ncat > alert.json\n")
    script.chmod(0o700)
    env = {
        **os.environ,
        "DRIFTLINE__KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "DRIFTLINE__OUTPUT__PREFIX": prefix,
        "DRIFTLINE__HTTP__PORT": "0",
        "DRIFTLINE__LOG__FORMAT": "json",
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *command],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    built = run(
        *("reference", "build", "--model", "car-loan"),
        *("--input", str(ROOT / "tests" / "data" / "car_loan_reference.csv.gz")),
        *("--output", "references/car-loan.json.gz"),
    )
    assert built.returncode == 0, built.stderr
    for command in WITH_A_BROKER:
        if command == ["run"]:
            with (tmp_path / "log").open("wb") as log:
                worker = subprocess.Popen(
                    [*PROGRAM, *command], cwd=tmp_path, env=env, stdout=log, stderr=log
                )
            wait_until(lambda: '"ownership"' in (tmp_path / "log").read_text(), "ownership")
            worker.terminate()
            assert worker.wait(10) == 0
            continue
        # `alerts ...` would follow for ever: here it ends after what is there.
        more = ["--no-follow"] if command[0] == "alerts" else []
        found = run(*command[:2], *more, *command[2:])
        assert found.returncode == 0, (command, found.stdout, found.stderr)
