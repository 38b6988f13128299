"""``kernel calibrate``: fits confidences to how often they were right, and writes the numbers as configuration.

Owns the pairs (from a run or a table) and the fits. Nothing here is part of a run: floats and scikit-learn end in
decimal text, which a configuration states and a journal binds.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from journal import JournalReader
from kernel.events.layout import RECORD, SIGNAL, TRADE_CLOSED
from kernel.tables.pipeline import MAX_POINTS
from kernel.units import RATE_SCALE
from replay.config import ConfigError

LEAST_PAIRS = 10
BINS = MAX_POINTS // 2
NEEDS = "scikit-learn is needed: pip install 'trading-kernel[calibration]'"


class CalibrationError(Exception):
    """What cannot be fitted. The text is one line."""


def pairs_of_run(journal: Path, strategy: int) -> tuple[np.ndarray, np.ndarray]:
    """``(confidences, 1 where right)``: of each round trip of a strategy the signal that it began with.

    Confidences are those that the strategy named, before any calibration, as shares of 1. A round trip was right when
    it made money after fees.
    """
    said: dict[int, tuple[int, int]] = {}
    began: dict[tuple[int, int], int] = {}  # by instrument and direction
    confidences, right = [], []
    for frame in JournalReader(journal):
        records = np.frombuffer(frame.records, RECORD)
        of_strategy = records["strategy"] == strategy
        ours = records[of_strategy & np.isin(records["kind"], (SIGNAL.kind, TRADE_CLOSED.kind))]
        for record in ours:
            words, instrument = record["words"], int(record["instrument"])
            if record["kind"] == SIGNAL.kind:
                raw = int(words[SIGNAL.raw_confidence_rate] or words[SIGNAL.confidence_rate])
                before = said.get(instrument, (0, 0))
                said[instrument] = int(words[SIGNAL.direction]), raw
                if said[instrument][0] != 0 and before[0] != said[instrument][0]:
                    began[instrument, said[instrument][0]] = raw
            elif (instrument, int(words[TRADE_CLOSED.side])) in began:
                confidences.append(began[instrument, int(words[TRADE_CLOSED.side])] / RATE_SCALE)
                right.append(int(words[TRADE_CLOSED.realised_minor] > words[TRADE_CLOSED.fees_minor]))
    return np.array(confidences, float), np.array(right, int)


def pairs_of_table(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The columns ``confidence`` (0 to 1) and ``right`` (0 or 1) of a CSV or Parquet file. Raises CalibrationError."""
    try:
        table = pyarrow.parquet.read_table(path) if path.suffix == ".parquet" else pyarrow.csv.read_csv(path)
    except (OSError, pa.ArrowException) as error:
        raise CalibrationError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None
    missing = [name for name in ("confidence", "right") if name not in table.column_names]
    if missing:
        raise CalibrationError(f"{path}: no column {missing[0]}; it has {', '.join(table.column_names)}")
    try:
        confidence, right = (np.asarray(table.column(name).to_numpy(), float) for name in ("confidence", "right"))
    except ValueError:
        raise CalibrationError(f"{path}: confidence and right must be numbers") from None
    if not np.all((confidence >= 0) & (confidence <= 1)) or not np.all(np.isin(right, (0, 1))):
        raise CalibrationError(f"{path}: confidences are from 0 to 1, and right is 0 or 1")
    return confidence, right.astype(int)


def fit(confidence: np.ndarray, right: np.ndarray, method: str) -> str:
    """The ``[strategy.calibration]`` table, as TOML. Raises CalibrationError."""
    if len(confidence) < LEAST_PAIRS:
        raise CalibrationError(f"there are {len(confidence)} pairs; {LEAST_PAIRS} are needed at least")
    if len(np.unique(right)) < 2:
        raise CalibrationError("all were right, or all wrong: there is nothing to fit")
    lines = fit_platt(confidence, right) if method == "platt" else fit_isotonic(confidence, right)
    head = [f"# {len(right)} pairs, {int(right.sum())} right", "[strategy.calibration]", f'method = "{method}"']
    return "\n".join([*head, *lines]) + "\n"


def fit_platt(confidence: np.ndarray, right: np.ndarray) -> list[str]:
    """Slope and intercept of the sigmoid, by logistic regression on Platt's targets.

    Source: J. Platt, Probabilistic Outputs for Support Vector Machines (1999): (N+ + 1) / (N+ + 2) and 1 / (N- + 2).
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise CalibrationError(NEEDS) from None
    ups = int(right.sum())
    downs = len(right) - ups
    target = np.where(right == 1, (ups + 1) / (ups + 2), 1 / (downs + 2))
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    values = np.concatenate([confidence, confidence]).reshape(-1, 1)
    classes = np.concatenate([np.ones(len(right), int), np.zeros(len(right), int)])
    model.fit(values, classes, sample_weight=np.concatenate([target, 1 - target]))
    return [f"slope = {_text(-float(model.coef_[0, 0]))}", f"intercept = {_text(-float(model.intercept_[0]))}"]


def fit_isotonic(confidence: np.ndarray, right: np.ndarray) -> list[str]:
    """The points of the isotonic regression; many different confidences are put into bins of equal size first."""
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError:
        raise CalibrationError(NEEDS) from None
    x, y, weight = binned(confidence, right)
    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    model.fit(x, y, sample_weight=weight)
    pairs = zip(model.X_thresholds_.tolist(), model.y_thresholds_.tolist(), strict=True)
    return ["points = [", *(f"    [{_text(one)}, {_text(other)}]," for one, other in pairs), "]"]


def binned(confidence: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``(confidence, share that was right, how many)`` of each confidence, or of bins when there are too many."""
    order = np.argsort(confidence, kind="stable")
    x, y = confidence[order], right[order].astype(float)
    if len(np.unique(x)) > BINS:
        parts: Sequence[np.ndarray] = np.array_split(np.arange(len(x)), BINS)
        x, y, weight = (
            np.array([x[part].mean() for part in parts]),
            np.array([y[part].mean() for part in parts]),
            np.array([float(len(part)) for part in parts]),
        )
        return x, y, weight
    values, places = np.unique(x, return_inverse=True)
    weight = np.bincount(places).astype(float)
    return values, np.bincount(places, weights=y) / weight, weight


def _text(value: float) -> str:
    return f"{value:.8f}".rstrip("0").rstrip(".") or "0"


def strategy_number(names: Sequence[str], signalled: Sequence[int], wanted: str) -> int:
    """The number of the strategy to calibrate. Raises ConfigError."""
    if wanted:
        if wanted not in names:
            raise ConfigError(f"--strategy {wanted}: the run has {', '.join(names)}")
        return list(names).index(wanted)
    if len(signalled) != 1:
        told = ", ".join(names[number] for number in signalled) or "none"
        raise ConfigError(f"which strategy? {told} gave signals; name one with --strategy")
    return signalled[0]


def strategies_with_signals(journal: Path) -> list[int]:
    """The numbers of the strategies that gave signals."""
    found: set[int] = set()
    for frame in JournalReader(journal):
        records = np.frombuffer(frame.records, RECORD)
        found |= set(records["strategy"][records["kind"] == SIGNAL.kind].tolist())
    return sorted(found)
