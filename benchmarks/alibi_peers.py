"""alibi-detect's MMDDrift (PyTorch, on one core) on the windows of `embeddings`, part `mmd`.

Run in an environment of its own; prints a line for each change: events until the first window that
none of 200 permutations is as large as, by the median, and the processor time of an event.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch  # type: ignore[import-not-found]  # of its own environment
from alibi_detect.cd import MMDDrift  # type: ignore[import-not-found]  # of its own environment
from embedding_streams import (  # type: ignore[import-not-found]  # beside it, run as a file
    AFTER,
    CHANGES,
    PERMUTATIONS,
    VECTORS,
    WINDOW,
)


def main(streams: int) -> None:
    torch.set_num_threads(1)
    for name, (kind, change) in CHANGES.items():
        delays, spent, looks = [], 0.0, 0
        for seed in range(streams):
            rng = np.random.default_rng([seed, 2])
            torch.manual_seed(seed)
            known = VECTORS[kind](rng, WINDOW).astype(np.float32)
            detector = MMDDrift(
                known, backend="pytorch", p_val=0.5 / PERMUTATIONS, n_permutations=PERMUTATIONS
            )
            delay = np.inf
            for window in range(AFTER // WINDOW):
                values = change(rng, WINDOW).astype(np.float32)
                began = time.process_time()
                found = detector.predict(values)
                spent, looks = spent + time.process_time() - began, looks + 1
                if found["data"]["is_drift"]:
                    delay = (window + 1) * WINDOW
                    break
            delays.append(delay)
        cost = spent / looks / WINDOW * 1e6
        median = float(np.median(delays))
        shown = f"{median:8,.0f} events" if np.isfinite(median) else "   never in 20,000"
        print(f"  {name:<34} {shown}, {cost:,.0f} µs an event", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
