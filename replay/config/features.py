"""``[features]``: what is computed and recorded whether or not a strategy reads it."""

import msgspec

from kernel.features import Feature, FeatureError, parse_feature
from replay.config.errors import SettingError


class FeaturesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Names of features, computed for all instruments; and whether the features of the run are recorded as events."""

    names: list[str] = msgspec.field(default_factory=list, name="set")
    record: bool | None = None  # by default when some are named

    @property
    def parsed(self) -> list[Feature]:
        """The features. Raises FeatureError."""
        return [parse_feature(name) for name in self.names]

    @property
    def is_recorded(self) -> bool:
        """Whether every feature of the run leaves events, those that strategies read too."""
        return bool(self.names) if self.record is None else self.record


def check_features(features: FeaturesConfig) -> None:
    """Raise SettingError for a name that cannot be read."""
    for number, name in enumerate(features.names):
        try:
            parse_feature(name)
        except FeatureError as error:
            raise SettingError(f"features.set.{number}", f"cannot be used: {error}") from None
