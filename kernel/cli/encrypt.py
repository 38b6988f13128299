"""``kernel encrypt``: a journal at rest that nobody reads without its master key, and the destroying of its keys.

Parses, calls one function, renders. Exit codes: 0 done; 1 the journal is not whole, or the key is not the one; 2 wrong
usage.
"""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kernel.cli.anew import write_anew
from kernel.cli.errors import BadInput
from kernel.cli.journals import as_json_text, journal_errors, json_option, key_file_option, note, print_lines
from kernel.plurals import counted

MARK = "encrypted.json"


@click.command()
@click.argument("run", type=click.Path(path_type=Path), required=False)
@click.option("--out", type=click.Path(path_type=Path), help="The new folder.")
@click.option("--make-key", type=click.Path(path_type=Path, dir_okay=False), help="Make a master key in a new file.")
@click.option("--new-key", help="The master key of the new journal, where RUN is encrypted with --key-file already.")
@click.option("--keys", "list_keys", is_flag=True, help="List the data keys of RUN, and the frames of each.")
@click.option("--destroy", metavar="KEYID", help="Destroy a data key of RUN: what it encrypted is lost for good.")
@click.option("--reason", help="Why; it is recorded.")
@key_file_option
@json_option
@click.pass_context
def encrypt(
    ctx: click.Context,
    run: Path | None,
    out: Path | None,
    make_key: Path | None,
    new_key: str | None,
    list_keys: bool,
    destroy: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Write the journal of RUN anew to --out, each frame encrypted under the master key of --key-file.

    Verification, checkpoints and proofs of the new journal need no key; every command that reads events takes
    --key-file or KERNEL_KEY_FILE. The journal in RUN stays as it is: remove it yourself.

    With --destroy the journal first records that a data key is destroyed, and why; then the key is.
    """
    asked = (out is not None) + (destroy is not None) + list_keys
    if (run is None) != (make_key is not None) or asked != (run is not None):
        raise BadInput("give RUN with --out FOLDER, --keys or --destroy KEYID; or --make-key FILE")
    if (new_key is not None and out is None) or (reason is not None and destroy is None):
        raise BadInput("--new-key goes with --out FOLDER, --reason with --destroy KEYID")
    if run is None:
        assert make_key is not None
        _make_key(make_key)
        return
    with journal_errors():
        from replay.history import find_journal

        place, _ = find_journal(run)
        if out is not None:
            found, lines = _encrypt(run, place, out, new_key)
        elif destroy is not None:
            found, lines = _destroy(place, destroy, reason)
        else:
            found, lines = _list(place)
    print_lines([as_json_text(found)] if as_json else lines)


def _make_key(path: Path) -> None:
    from journal.encryption import MasterKey

    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadInput(f"{path} is there already; a master key is never overwritten") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(MasterKey.generate().text + "\n")
        file.flush()
        os.fsync(file.fileno())
    note(f"{path}: whoever loses it loses every journal that it encrypts; keep a copy where the journals are not")


def _encrypt(run: Path, place: Path, out: Path, new_key: str | None) -> tuple[dict[str, Any], list[str]]:
    from journal.encrypting import encrypt_journal
    from journal.encryption import master_in_use
    from kernel.cli.keys import master_key

    master = master_key(new_key, "--new-key") if new_key is not None else master_in_use()
    if master is None:
        raise BadInput("no master key; give --key-file KEY (kernel encrypt --make-key FILE makes one)")
    made = write_anew(
        run, place, out, "encrypt", MARK, lambda target, progress: encrypt_journal(place, target, master, progress)
    )
    lines = [
        f"{out}: {counted(made.frames, 'frame')}, each opened again and compared; root {made.root}",
        f"encrypted from journal {made.source_genesis_id}, root {made.source_root}",
    ]
    return asdict(made), lines


def _list(place: Path) -> tuple[dict[str, Any], list[str]]:
    rows = _keys(place)
    lines = []
    for row in rows:
        ended = "  destroyed" if row["destroyed"] else ""
        lines.append(f"{row['key']}  frames {row['first_frame']:,} to {row['last_frame']:,}{ended}")
    return {"keys": rows}, lines or ["the journal is not encrypted"]


def _keys(place: Path) -> list[dict[str, Any]]:
    from journal import JournalReader
    from journal.encryption import read_keys
    from journal.storage import FileStorage

    keys = read_keys(FileStorage(place))[1]
    last = JournalReader(place, check_hashes=False).frame_count
    ends = [*(key.first_frame - 1 for key in keys[1:]), *([last] if keys else [])]
    return [
        {"key": key.id.hex(), "first_frame": key.first_frame, "last_frame": end, "destroyed": key.is_destroyed}
        for key, end in zip(keys, ends, strict=True)
    ]


def _destroy(place: Path, name: str, reason: str | None) -> tuple[dict[str, Any], list[str]]:
    from journal.encryption import destroy_key
    from journal.storage import FileStorage
    from kernel.events.catalogue import DataKeyDestroyed
    from replay.custody import record_custody

    if not reason:
        raise BadInput("--destroy needs --reason TEXT: why a key was destroyed is part of the record")
    rows = {row["key"]: row for row in _keys(place)}
    if name not in rows:
        raise BadInput(f"no key {name}; the journal has {', '.join(rows) or 'none, it is not encrypted'}")
    if rows[name]["destroyed"]:
        raise BadInput(f"key {name} was destroyed already")
    row = rows[name]
    event = DataKeyDestroyed(
        int.from_bytes(bytes.fromhex(name), "big", signed=True), row["first_frame"], row["last_frame"]
    )
    sequence = record_custody(place, event, {"reason": reason, "user_id": os.getuid()})
    storage = FileStorage(place)
    storage.lock()
    try:
        destroy_key(storage, bytes.fromhex(name))
    finally:
        storage.unlock()
    lines = [
        f"key {name} is destroyed; frames {row['first_frame']:,} to {row['last_frame']:,} can never be read again "
        f"(event {sequence:,})",
        "copies of the file keys, as in backups, still have it: destroy it there too",
    ]
    return {"key": name, "sequence": sequence} | row, lines
