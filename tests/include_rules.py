#!/usr/bin/python3
"""The include rules of the tree: who may look at whom, and which library has its header where.

The two tables are the rule; ARCHITECTURE.md draws the picture. A breach is printed as file:line with the rule it breaks.
"""

import pathlib
import re
import subprocess
import sys

# Folder: what it may include of the tree besides itself. The longest folder that fits a file is its folder.
# A name that ends in .hpp is that one header, all else is a folder with what is below it.
TREE = {
    "config/": [],
    "config/load/": ["config/"],
    "policies/": ["config/"],
    "probes/async/": ["config/time.hpp"],
    "probes/": ["config/", "policies/observation.hpp", "probes/async/"],
    "dns/": ["config/", "policies/answer_plan.hpp"],
    "daemon/": ["config/", "policies/", "probes/", "dns/", "daemon/post/"],
    "daemon/post/": ["config/", "policies/", "daemon/"],
    "daemon/ctl/": ["config/", "policies/", "daemon/"],
    "tests/": ["config/", "policies/", "probes/", "dns/", "daemon/"],
}

# These see nothing but the standard library: no system calls, no clock, no library.
PURE = ["config/", "policies/"]
PURE_BUT = {("config/address.cpp", "arpa/inet.h")}  # inet_pton and inet_ntop: text to octets and back, no system call

# Library: its headers, and where they may be included. Within each place they stand in one source file
# (with its header), or, where the place is marked with *, in a folder of glue.
LIBRARIES = {
    "c-ares": (["ares.h"], ["probes/"]),
    "CLI11": (["CLI/"], ["daemon/", "daemon/ctl/"]),
    "doctest": (["doctest/"], ["tests/ *"]),
    "fmt": (["fmt/"], ["daemon/ *", "daemon/ctl/ *"]),
    "http-parser": (["http_parser.h"], ["probes/"]),
    "ldns": (["ldns/"], ["config/load/", "probes/", "daemon/", "daemon/ctl/", "tests/ *"]),
    "libcurl": (["curl/"], ["probes/", "daemon/post/ *", "daemon/ctl/", "tests/ *"]),
    "libmaxminddb": (["maxminddb.h"], ["config/load/"]),
    "libmicrohttpd": (["microhttpd.h"], ["daemon/"]),
    "libpq": (["libpq-fe.h"], ["probes/"]),
    "libsystemd": (["systemd/"], ["daemon/"]),
    "libuv": (["uv.h"], ["probes/", "dns/", "tests/ *"]),
    "nlohmann-json": (["nlohmann/"], ["probes/", "daemon/ *", "daemon/ctl/ *", "tests/ *"]),
    "OpenSSL": (["openssl/"], ["probes/ *", "tests/ *"]),
    "PCRE2": (["pcre2.h"], ["config/load/", "probes/"]),
    "prometheus-cpp": (["prometheus/"], ["daemon/"]),
    "spdlog": (["spdlog/"], ["daemon/"]),
    "SQLite": (["sqlite3.h"], ["daemon/", "tests/ *"]),
    "yaml-cpp": (["yaml-cpp/"], ["config/load/ *", "tests/ *"]),
}

SYSTEM = re.compile(r"(sys|netinet|arpa|linux|net)/|(unistd|dlfcn|elf|link|malloc|fcntl|poll|netdb|ifaddrs|pthread|signal|dirent|pwd|grp|spawn|syslog|"
                    r"strings|glob|errno|sched|termios|time|stdlib|string|stdio|math|limits)\.h$")
STANDARD = re.compile(r"[a-z_0-9]+$")  # <vector>, <cstdint>: no slash, no suffix
INCLUDE = re.compile(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def folder_of(path):
    return max((folder for folder in TREE if path.startswith(folder)), key=len, default=None)


def library_of(header):
    return next((name for name, (prefixes, _) in LIBRARIES.items() if any(header.startswith(p) for p in prefixes)), None)


def tree_breach(path, header):
    """Why `path` may not include `header` of the tree, or None."""
    folder = folder_of(path)
    if folder_of(header) is None:
        return f'"{header}" is no header of the tree by its path from the root'
    if folder_of(header) == folder:
        return None
    for allowed in TREE[folder]:
        if header == allowed or allowed.endswith("/") and header.startswith(allowed):
            return None
    return f"{folder} may include {', '.join(TREE[folder]) or 'nothing of the tree'} besides itself, not {header}"


def foreign_breach(path, header, homes):
    """Why `path` may not include the foreign `header`, or None. `homes` collects where each library lives."""
    folder = folder_of(path)
    if STANDARD.match(header):
        return None
    library = library_of(header)
    if library is None and SYSTEM.match(header):
        impure = folder in PURE and (path, header) not in PURE_BUT
        return f"{folder} is pure and sees the standard library only, not <{header}>" if impure else None
    if library is None:
        return f"<{header}> belongs to no library of the table: add it, with the place where it may be included"
    for place in LIBRARIES[library][1]:
        name, _, glue = place.partition(" ")
        if name == folder or name == "tests/" and path.startswith(name):
            if not glue:
                homes.setdefault((library, name), {}).setdefault(path.rsplit(".", 1)[0], path)
            return None
    return f"{library} may be included in {', '.join(LIBRARIES[library][1])}, not in {folder}"


def sources(root):
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "*.cpp", "*.hpp"], capture_output=True, text=True)
    files = listed.stdout.split() if listed.returncode == 0 else [
        str(p.relative_to(root)) for top in TREE for p in (root / top).rglob("*.?pp")]
    return sorted({f for f in files if folder_of(f) and (root / f).exists()})


def breaches(root):
    homes, found, seen = {}, [], 0
    for path in sources(root):
        for number, line in enumerate((root / path).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            seen += 1
            own, foreign = match.groups()
            problem = tree_breach(path, own) if own else foreign_breach(path, foreign, homes)
            if problem:
                found.append(f"{path}:{number}: {problem}")
    for (library, place), files in sorted(homes.items()):
        if len(files) > 1:
            found.append(f"{place}: {library} is included by {', '.join(sorted(files.values()))}: a library has one source file, or a folder of glue")
    return found, seen


def main():
    root = pathlib.Path(__file__).resolve().parents[1]
    found, seen = breaches(root)
    print("\n".join(found))
    if seen == 0:
        found.append("no #include was found at all")
        print(found[-1])
    print(f"[stories] {0 if found else 1} passed, {1 if found else 0} failed")
    print(f"{seen} includes looked at, {len(found)} against the rules", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
