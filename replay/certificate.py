"""The certificate of a run: everything that went in, as hashes, and what came out.

Owns ``certificate.json``. Anyone with the same data, configuration, code and packages can run again and must get the
same result hash and journal root. It holds no path, no time and no name of a machine.
"""

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from kernel import __version__
from kernel.market import KIND_NAMES
from replay.catalogue import file_sha256
from replay.execution import Prepared
from replay.result import RunResult

CERTIFICATE_FILE = "certificate.json"
FORMAT = "trading-kernel certificate 1"
_PACKAGES = ("numpy", "numba", "llvmlite", "pyarrow", "msgspec")
_CODE = ("kernel", "journal", "replay", "strategies")


def make_certificate(prepared: Prepared, result: RunResult) -> dict[str, Any]:
    """The certificate as plain values, keys in a stable order."""
    return {
        "format": FORMAT,
        "inputs": {
            "data": [
                {
                    "instrument": file.instrument.name,
                    "kind": KIND_NAMES[file.kind],
                    "interval_ns": file.interval_ns,
                    "rows": file.rows,
                    "sha256": file_sha256(file.path),
                }
                for file in prepared.universe.files
            ],
            "configuration": prepared.resolved,
            "configuration_sha256": prepared.config_sha256,
            "journal_mode": prepared.config.journal,
            "strategies": [
                {"name": strategy.name, "source_sha256": strategy.source_sha256} for strategy in prepared.strategies
            ],
            "code": {"version": __version__, "sources_sha256": code_sha256()},
            "python": platform.python_version(),
            "packages": {name: _version(name) for name in _PACKAGES},
        },
        "outputs": {
            "completed": result.completed,
            "result_hash": result.result_hash,
            "journal_root": result.journal_root,
            "frames": result.frames,
            "events": result.events,
            "bars": result.bars,
            "fills": result.fills,
            "trades": result.trades,
            "final_equity_minor": result.final_equity_minor,
            "currency": result.currency,
            "currency_scale": result.scale,
        },
    }


def write_certificate(prepared: Prepared, result: RunResult) -> Path:
    """Write ``certificate.json`` into the run directory."""
    path = result.run_dir / CERTIFICATE_FILE
    text = msgspec.json.format(msgspec.json.encode(make_certificate(prepared, result)), indent=2)
    path.write_bytes(text + b"\n")
    return path


def read_certificate(run_dir: Path) -> dict[str, Any] | None:
    """The certificate in a run directory; None when there is none."""
    try:
        found: dict[str, Any] = msgspec.json.decode((run_dir / CERTIFICATE_FILE).read_bytes())
    except FileNotFoundError:
        return None
    return found


def changed_inputs(recorded: dict[str, Any], prepared: Prepared) -> list[str]:
    """What of the inputs is no longer what the certificate says, one short phrase each."""
    inputs = recorded["inputs"]
    changes = []
    hashes = sorted(file_sha256(file.path) for file in prepared.universe.files)
    if hashes != sorted(entry["sha256"] for entry in inputs["data"]):
        changes.append("the data files")
    for entry, strategy in zip(inputs["strategies"], prepared.strategies, strict=False):
        if entry["source_sha256"] != strategy.source_sha256:
            changes.append(f"the source of strategy {strategy.name}")
    if inputs["configuration_sha256"] != prepared.config_sha256:
        changes.append("the configuration")
    if inputs["code"]["sources_sha256"] != code_sha256():
        changes.append(f"the kernel's code (recorded by version {inputs['code']['version']})")
    packages = inputs["packages"].items()
    return changes + [f"{name} {old} -> {_version(name)}" for name, old in packages if old != _version(name)]


@cache
def code_sha256() -> str:
    """SHA-256 over all sources of the kernel, by relative path."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parent.parent
    for package in _CODE:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
