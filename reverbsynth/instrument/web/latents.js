// As reverbsynth.instrument.latents.slerp, of two vectors.
export function slerp(a, b, share) {
  let dot = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  const angle = Math.acos(Math.min(1, Math.max(-1, dot / Math.sqrt(aa * bb))));
  const straight = !(Math.sin(angle) >= 1e-6);
  const wa = straight ? 1 - share : Math.sin((1 - share) * angle) / Math.sin(angle);
  const wb = straight ? share : Math.sin(share * angle) / Math.sin(angle);
  return Float32Array.from(a, (value, i) => wa * value + wb * b[i]);
}
