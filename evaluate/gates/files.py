"""What a gate found as a file: JUnit XML for a CI, CSV for a table, JSON for a program."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree

from diptych.errors import ConfigError
from diptych.evaluate.gates.gate import GateReport
from diptych.evaluate.terminal import printable
from diptych.storage.location import Location

COLUMNS = ("criterion", "metric", "of", "verdict", "is_accepted", "value", "ci_low", "ci_high", "bound", "reason")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for one at the beginning of a text


def to_junit(report: GateReport) -> bytes:
    """Return JUnit XML: a test case for each check, a failure for each that is not passed, skipped for what is allowed.

    The form is that of the Ant task, as CI systems read it: suites, a suite, cases with a name and a class name.
    """
    failed = sum(not each.is_accepted for each in report.outcomes)
    allowed = sum(each.is_accepted and each.verdict != "passed" for each in report.outcomes)
    counts = {"tests": str(len(report.outcomes)), "failures": str(failed), "errors": "0", "skipped": str(allowed)}
    root = ElementTree.Element("testsuites", {"name": "diptych evaluate gate", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": printable(report.run), **counts})
    for each in report.outcomes:
        name = printable(f"{each.criterion}: {each.of}")
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": printable(report.run), "name": name, "time": "0"}
        )
        if each.verdict == "passed":
            ElementTree.SubElement(case, "system-out").text = printable(each.reason)
            continue
        what = {"message": printable(f"{each.verdict}: {each.reason}")}
        if each.is_accepted:
            ElementTree.SubElement(case, "skipped", what)
        else:
            ElementTree.SubElement(case, "failure", {**what, "type": each.verdict}).text = printable(each.reason)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def to_csv(report: GateReport) -> bytes:
    """Return a table of the checks; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for each in report.outcomes:
        facts = each.to_json()
        writer.writerow({name: _cell(facts[name]) for name in COLUMNS})
    return text.getvalue().encode()


def to_json(report: GateReport) -> bytes:
    """Return what ``--json`` prints."""
    return (json.dumps(report.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


WRITERS: Mapping[str, Callable[[GateReport], bytes]] = {".csv": to_csv, ".json": to_json, ".xml": to_junit}


def check_names(paths: tuple[Path, ...]) -> None:
    """Check that every file has a form, before anything is computed.

    Raises:
        ConfigError: If its ending is none of those that are known.
    """
    for path in paths:
        if path.suffix.lower() not in WRITERS:
            known = "; ".join(f"{ending} for {_form(ending)}" for ending in WRITERS)
            raise ConfigError(f"--out: {path}: the ending says the form: {known}")


def write_files(report: GateReport, paths: tuple[Path, ...]) -> None:
    """Write what a gate found into files, whole or not at all.

    Raises:
        ShardError: If the disk refuses.
    """
    for path in paths:
        Location.at(path).write(WRITERS[path.suffix.lower()](report))


def _form(ending: str) -> str:
    return {".xml": "JUnit XML"}.get(ending, ending[1:].upper())


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{printable(value)}" if value.startswith(FORMULA) else printable(value)
    return value
