// What the network is told of a note, as reverbsynth.instrument.Instrument tells it.

import { pitchName } from "./pitches.js";

export class Conditions {
  constructor(manifest) {
    this.labels = Object.fromEntries(manifest.labels);
    this.trained = manifest.trained_pitches;
    this.harmonic = manifest.pitch_input === "harmonic";
    this.keyed = manifest.key_shares;
    this.lowest = this.labels.pitch[0];
    this.highest = this.labels.pitch[this.labels.pitch.length - 1];
  }

  // The other labels, with the values that can be chosen.
  get others() {
    return Object.entries(this.labels).filter(([name]) => name !== "pitch");
  }

  has(pitch) {
    return pitch >= this.lowest && pitch <= this.highest;
  }

  range() {
    return `${pitchName(this.lowest)} to ${pitchName(this.highest)}`;
  }

  // The nearest trained velocity to the one struck, as a label; nothing where it is no label.
  velocity(struck) {
    const trained = this.labels.velocity;
    if (!trained) return {};
    return { velocity: trained.reduce((a, b) => (Math.abs(b - struck) < Math.abs(a - struck) ? b : a)) };
  }

  // Moved by as few octaves as bring it into range; null where none does.
  inRange(pitch) {
    for (let step = 0; step <= 120; step += 12)
      for (const moved of [pitch + step, pitch - step]) if (this.has(moved)) return moved;
    return null;
  }

  // What the network draws; the rest is resampled.
  drawn(pitch) {
    const { trained } = this;
    if (this.harmonic) return Math.min(Math.max(pitch, trained[0]), trained[trained.length - 1]);
    return trained.reduce((a, b) => (Math.abs(b - pitch) < Math.abs(a - pitch) ? b : a));
  }

  remark(pitch) {
    if (!this.has(pitch) || this.trained.includes(pitch)) return "";
    const drawn = this.drawn(pitch);
    return `, no training notes${drawn === pitch ? "" : `, ${pitchName(drawn)} resampled`}`;
  }

  // As reverbsynth.gan.architecture.key_shares: of the trained keys on both sides, by nearness.
  keyShares(pitch) {
    const above = this.trained.find((key) => key >= pitch);
    const below = this.trained.findLast((key) => key <= pitch);
    const share = above === below ? 1 : (pitch - below) / (above - below);
    return this.labels.pitch.map((key) => (key === above ? share : key === below ? 1 - share : 0));
  }

  // The graph's input, of a pitch and the chosen values or mixtures of the other labels.
  vector(pitch, chosen) {
    const blocks = Object.entries(this.labels).map(([name, values]) => {
      if (name === "pitch" && this.harmonic) {
        const drawn = this.drawn(pitch);
        return [drawn, ...(this.keyed ? this.keyShares(drawn) : [])];
      }
      const wanted = name === "pitch" ? this.drawn(pitch) : chosen[name];
      if (typeof wanted === "object") return values.map((value) => wanted[value] ?? 0);
      return values.map((value) => (String(value) === String(wanted) ? 1 : 0)); // Of a menu: text.
    });
    return Float32Array.from(blocks.flat());
  }
}

// As reverbsynth.instrument.label_mixture.reference: what the other effects are an amount of.
export const reference = (values) => (values.includes("dry") ? "dry" : values[0]);

// As reverbsynth.instrument.label_mixture.mix_labels.
export function mixture(first, second, share) {
  if (share === 0 || share === 1 || first === second) return share === 1 ? second : first;
  return { [first]: 1 - share, [second]: share };
}
