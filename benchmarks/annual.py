"""Wall time and peak memory of `duixian annual`, as a whole process, on synthetic cities of several sizes.

python -m benchmarks.annual [--sizes 2000,100000,1000000] [--runs 3]
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DUIXIAN = str(Path(sys.executable).with_name("duixian"))


def measure(command: list[str]) -> tuple[float, float]:
    """Seconds and peak MiB of one run of a command that must succeed."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def main() -> None:
    """Generate each city once, run it several times, print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="2000,100000,1000000")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'enterprises':>12} {'seconds':>9} {'peak MiB':>9}")
    for size in map(int, arguments.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            raw, out = f"{folder}/raw", f"{folder}/out"
            subprocess.run(
                [DUIXIAN, "synth", "--enterprises", str(size), "--years", "2022-2023", "--out", raw],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            run = [DUIXIAN, "annual", "--year", "2023", "--raw", raw, "--out", out]
            figures = [measure(run) for _ in range(arguments.runs)]
        seconds, memory = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"{size:>12,} {seconds:>9.1f} {memory:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
