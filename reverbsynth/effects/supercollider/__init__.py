"""SuperCollider as an effect: notes through compiled SynthDefs, by scsynth in non-real time."""
