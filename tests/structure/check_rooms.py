"""Which room may include which: each knows those below it, and none beside or above it."""

import pathlib
import re
import sys

LEVELS = [
    ["core"],
    ["kernels", "datasets", "hardware_profiles", "reports"],
    ["models"],
    ["quantizers"],
    ["harness"],
]
SOURCES = {".cpp", ".hpp", ".h", ".inc", ".in", ".cu", ".cuh"}

root = pathlib.Path(__file__).resolve().parents[2]
level = {room: number for number, rooms in enumerate(LEVELS) for room in rooms}
faults, checked = [], 0
for room in level:
    for path in sorted((root / room).rglob("*")):
        if path.suffix not in SOURCES:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s+"([^"/]+)/', line)
            if not include or include[1] == "embedded":
                continue
            checked += 1
            other = include[1]
            if other != room and level.get(other, len(LEVELS)) >= level[room]:
                faults.append(f"{path.relative_to(root)}:{number}: {room} must not know {other}")
        if path.suffix == ".hpp" and "#pragma once" not in path.read_text():
            faults.append(f"{path.relative_to(root)}: lacks #pragma once")

print("\n".join(faults) or f"{checked} includes between files, all downwards")
sys.exit(bool(faults) or checked == 0)
