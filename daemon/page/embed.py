#!/usr/bin/python3
"""Writes a C++ source that holds files as texts: embed.py NAME=FILE... > assets.cpp"""

import pathlib
import sys

print('#include "daemon/page/assets.hpp"\n\nnamespace fairway::daemon::page {\n')
for argument in sys.argv[1:]:
    name, _, file = argument.partition("=")
    octets = pathlib.Path(file).read_bytes()
    lines = "\n".join('    "' + "".join(f"\\{octet:03o}" for octet in octets[i:i + 32]) + '"' for i in range(0, len(octets), 32))
    print(f"extern const std::string_view {name};\nconst std::string_view {name}(\n{lines},\n    {len(octets)});\n")
print("} // namespace fairway::daemon::page")
