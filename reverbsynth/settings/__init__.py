"""The settings tree: typed, validated and frozen. Its defaults are the paper's."""

from reverbsynth.settings.data import (
    DataSettings,
    EffectSettings,
    FolderSource,
    NSynthSource,
    SoundFontSource,
)
from reverbsynth.settings.evaluation import ClaimSettings, EvaluationSettings
from reverbsynth.settings.settings import (
    PRESETS,
    Settings,
    differences,
    one_line,
    parse_overrides,
    presets,
    settings_hash,
)
from reverbsynth.settings.training import (
    GanSettings,
    Label,
    LossSettings,
    OptimizerSettings,
    SpectraSettings,
    TrainingSettings,
)
