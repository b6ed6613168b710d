// A key is let go before the note's own release: where the note goes on from.
// The rule of reverbsynth.instrument.release, `tail`; numbers are samples at 16 kHz.

export const OFF = 48_000;
const FARTHEST = 912;
const LOUDEST = 10;
export const CROSSFADE = 320;

// The sample to go on from, in phase with what is heard, and by how much it is made louder; null
// where the note is in its own release already.
export function tailOf(wave, held) {
  if (held >= OFF - CROSSFADE) return null;
  const before = wave.subarray(held, held + CROSSFADE);
  let best = { likeness: -Infinity };
  for (let lag = CROSSFADE; lag <= FARTHEST; lag++) {
    const after = wave.subarray(OFF - lag, OFF - lag + CROSSFADE);
    let product = 0, squares = 0;
    for (let i = 0; i < CROSSFADE; i++) {
      product += before[i] * after[i];
      squares += after[i] * after[i];
    }
    const norm = Math.sqrt(squares);
    const likeness = product / Math.max(norm, 1e-12);
    if (likeness > best.likeness) best = { likeness, norm, from: OFF - lag };
  }
  const norm = Math.sqrt(before.reduce((sum, value) => sum + value * value, 0));
  return { from: best.from, gain: best.norm > 0 ? Math.min(norm / best.norm, LOUDEST) : 1 };
}
