"""Everything that is checked, as one command each: ``nox -s NAME``; ``nox`` runs what a change must pass."""

import nox

nox.options.sessions = ["lint", "types", "layers", "tests"]
nox.options.reuse_existing_virtualenvs = True
CODE = ["kernel", "journal", "replay", "strategies", "adapters", "bench", "tests", "noxfile.py"]


@nox.session
def tests(session: nox.Session) -> None:
    """The whole test suite."""
    session.install("-c", "requirements.lock", "-e", ".[test]")
    session.run("python", "-m", "pytest", *(session.posargs or ["-n", "2"]))


@nox.session
def lint(session: nox.Session) -> None:
    """Style: ruff's linter and formatter."""
    session.install("-c", "requirements.lock", "ruff")
    session.run("ruff", "check", *CODE)
    session.run("ruff", "format", "--check", *CODE)


@nox.session
def types(session: nox.Session) -> None:
    """Types: mypy, strict, on all packages; compiled functions are left to numba."""
    session.install("-c", "requirements.lock", "-e", ".[test]")
    session.run("mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Imports only point down the layers."""
    session.install("-c", "requirements.lock", "-e", ".[test]")
    session.run("lint-imports")


@nox.session(venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """The test suite with the lowest versions of the dependencies that we claim to support."""
    session.run("uv", "pip", "install", "--resolution", "lowest-direct", "-e", ".[test]", external=True)
    session.run("python", "-m", "pytest", *(session.posargs or ["-n", "2"]))


@nox.session
def torture(session: nox.Session) -> None:
    """Crash and corruption of the journal, each case counted: a few minutes."""
    session.install("-c", "requirements.lock", "-e", ".[test]")
    session.run("python", "-m", "tests.journal.torture", *session.posargs)
    session.run("python", "-m", "tests.journal.attacks")


@nox.session
def live(session: nox.Session) -> None:
    """Sessions at local venues: 500 kills, 2,000 scenarios of faults, the kernel's share of latency: hours."""
    session.install("-c", "requirements.lock", "-e", ".[test]")
    session.run("python", "-m", "tests.live.crash", "--kills", "500")
    session.run("python", "-m", "tests.live.faults", "--scenarios", "2000")
    session.run("python", "-m", "bench.live_latency")


@nox.session
def fuzz(session: nox.Session) -> None:
    """10,000 random histories against the exact twins: ``nox -s fuzz -- --seed 7`` repeats a run."""
    session.install("-c", "requirements.lock", "-e", ".[test]")
    seed = session.posargs[session.posargs.index("--seed") + 1] if "--seed" in session.posargs else "0"
    command = (
        "python",
        "-m",
        "pytest",
        "tests/kernel/test_apply.py",
        "tests/kernel/test_risk_histories.py",
        "tests/kernel/test_group_histories.py",
        "tests/replay/test_book.py",
        "tests/replay/test_venue_histories.py",
        f"--hypothesis-seed={seed}",
    )
    session.run(*command, env={"KERNEL_HISTORIES": "10000"})


@nox.session
def bench(session: nox.Session) -> None:
    """Speed and memory on this machine, as ratios in one run; then indicators beside TA-Lib, and features."""
    session.install("-c", "requirements.lock", "-e", ".[test]")
    session.run("python", "-m", "bench", *session.posargs)
    if not session.posargs:
        session.run("python", "-m", "bench.indicators")
        session.run("python", "-m", "bench.features")


@nox.session
def bench_peers(session: nox.Session) -> None:
    """Other engines on the same bars, each in an environment of its own, as ratios to ours in the same run."""
    session.install("-c", "requirements.lock", "-e", ".")
    environments = session.cache_dir / "peers"
    session.run("python", "-m", "bench.peers", "--environments", str(environments), *session.posargs)


@nox.session
def parity(session: nox.Session) -> None:
    """Trades and equity to the cent against other engines: ``nox -s parity -- --python python3.12``."""
    session.install("-c", "requirements.lock", "-e", ".[test]")
    environments = session.cache_dir / "peers"
    session.run("python", "-m", "tests.parity", "--environments", str(environments), *session.posargs)
