"""The signal pipeline in the state."""

from kernel.tables.table import table_dtype

SHADOW = table_dtype("fee_rate", "slippage_rate")
