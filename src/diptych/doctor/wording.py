"""What was found, as text for people."""

import os
from collections.abc import Mapping
from typing import Any

from diptych.doctor.installed import SUPPORTED_PYTHON


def format_report(report: Mapping[str, Any]) -> str:
    """Return the result of ``inspect_machine`` as text."""
    sections = {"Machine": _machine_rows(report), "Caches": _cache_rows(report), "Settings": _setting_rows(report)}
    sections["Packages"] = [(name, version or "-") for name, version in report["packages"].items()]
    sections["Optional parts"] = [
        (name, "complete" if part["present"] else f"missing {', '.join(part['missing'])}: {part['install']}")
        for name, part in report["extras"].items()
    ]
    width = max(len(name) for rows in sections.values() for name, _ in rows)
    lines = [f"diptych {report['diptych']}"]
    for title, rows in sections.items():
        lines += ["", title, *(f"  {name:<{width}}  {value}" for name, value in rows)]
    return "\n".join(lines)


def _machine_rows(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    python, memory, devices = report["python"], report["memory"], report["devices"]
    wanted = "" if python["supported"] else f"; diptych needs {' or '.join(f'{a}.{b}' for a, b in SUPPORTED_PYTHON)}"
    limit = f", this process may use {format_bytes(memory['limit_bytes'])}" if memory["limit_bytes"] is not None else ""
    rows = [
        ("Python", f"{python['version']} ({python['implementation']}){wanted}"),
        ("platform", " ".join(report["platform"].values())),
        ("processors", f"{report['cpu']['usable']} usable of {report['cpu']['count']}"),
        (
            "memory",
            f"{format_bytes(memory['available_bytes'])} available of {format_bytes(memory['total_bytes'])}{limit}",
        ),
    ]
    for device in devices["found"]:
        rows.append((device["device"], f"{device['name']}, {format_bytes(device['memory_bytes'])}"))
    if not devices["found"]:
        rows.append(("GPU", "none" if devices["checked"] else devices["problem"] or "not looked for"))
    rows += [(f"disk, {disk['name']}", f"{format_bytes(disk['free_bytes'])} free") for disk in report["disk"]]
    return rows


def _cache_rows(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for cache in report["caches"]:
        at_least = "" if cache["complete"] else "at least "
        size = f"{at_least}{format_bytes(cache['bytes'])}" if cache["exists"] else "none yet"
        rows.append((cache["name"], f"{size} at {_shorten(cache['path'])}"))
    return rows


def _setting_rows(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    flags = report["offline"] | {name: on for name, on in report["telemetry"].items() if name != "diptych"}
    rows = [("telemetry", "diptych sends none; the flags below tell other packages")]
    rows += [(name, "on" if on else "off") for name, on in flags.items()]
    return rows + [(name, "set" if given else "not set") for name, given in report["secrets"].items()]


def _shorten(path: str) -> str:
    """Return the path with ``~`` for the home folder, whose name is nobody's business in a pasted report."""
    home = os.path.expanduser("~")
    return "~" + path[len(home) :] if path.startswith(home + os.sep) else path


def format_bytes(count: int | None) -> str:
    """Return a size in powers of 1024.

    >>> format_bytes(512), format_bytes(1536), format_bytes(16 * 1024**3), format_bytes(None)
    ('512 B', '1.5 KiB', '16.0 GiB', 'unknown')
    """
    if count is None:
        return "unknown"
    power = min(max(count.bit_length() - 1, 0) // 10, 4)
    size = count / 1024**power
    return f"{size:.1f} {('', 'Ki', 'Mi', 'Gi', 'Ti')[power]}B" if power else f"{count} B"
