"""Indicators as one O(1) step over a slice of flat memory, so that they live in a strategy's own memory.

Each takes the memory, where its words begin, the new value and what it needs; it returns the indicator's new value.
Only IEEE-exact operations are used, so the result is the same bit for bit on every machine.
"""

from kernel.jit import jit


@jit
def ema_nb(memory, at, value, period, count):
    """Exponential moving average, smoothing 2 / (period + 1), seeded with the first value. One word of memory.

    ``count`` is how many values came before. Source: J. Welles Wilder's recursion with the usual span smoothing, as in
    TA-Lib's EMA but seeded with the first value instead of a simple average.
    """
    if count == 0:
        memory[at] = value
        return memory[at]
    average = memory[at] + (value - memory[at]) * (2.0 / (period + 1.0))
    memory[at] = average
    return average


@jit
def rsi_nb(memory, at, value, period, count):
    """Relative strength index by Wilder's smoothing, seeded with the mean of the first ``period`` changes.

    Three words of memory: last value, average gain, average loss. Returns 50 until ``period`` changes were seen, and
    when nothing moved. Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); equal to TA-Lib's.
    """
    change = value - memory[at]
    memory[at] = value
    if count == 0:
        return 50.0
    gain = max(change, 0.0)
    loss = max(-change, 0.0)
    if count <= period:
        memory[at + 1] += gain / period
        memory[at + 2] += loss / period
        if count < period:
            return 50.0
    else:
        memory[at + 1] = (memory[at + 1] * (period - 1) + gain) / period
        memory[at + 2] = (memory[at + 2] * (period - 1) + loss) / period
    total = memory[at + 1] + memory[at + 2]
    if total == 0.0:
        return 50.0
    return 100.0 * memory[at + 1] / total
