"""A tiny job in a process of its own: three parts, published; run as ``python publishing.py``."""

import json
import sys

from churnml.scoring.publish import claimed

PLAN = {"source": "abc", "parts": 3}


def content(part: int) -> bytes:
    """What part number ``part`` holds."""
    return bytes([part]) * 10_000


def publish(out: str, *, overwrite: bool, plan: dict[str, object] = PLAN, moment: str = "") -> int:
    """Publish the three parts; say how many of them had to be made."""
    made = 0
    with claimed(out, overwrite=overwrite) as output:
        if output.published(plan):
            return 0
        staging = output.stage(plan)
        for part in range(3):
            name = f"part-{part:05d}.parquet"
            if name not in staging.done:
                staging.write(name, content(part), {"rows": 1})
                made += 1
        manifest = {
            "parts": [{"name": f"part-{part:05d}.parquet"} for part in range(3)],
            "rows": 3,
            "plan": plan,
            "moment": moment,
        }
        output.commit(staging, json.dumps(manifest).encode())
    return made


if __name__ == "__main__":
    print(publish(sys.argv[1], overwrite="--overwrite" in sys.argv, moment=" ".join(sys.argv[2:])))
