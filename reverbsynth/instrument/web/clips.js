// Notes rendered beforehand, which play until the network is loaded, and where it cannot run. A key
// without a clip of its own plays the nearest one's, resampled.

import { asset } from "./assets.js";

export class Clips {
  constructor(manifest, folder) {
    Object.assign(this, { manifest, folder });
    this.cache = new Map();
  }

  // The clip for a pitch and for what of the other labels there is most of.
  nearest(pitch, chosen) {
    const share = (wanted, value) => (typeof wanted === "object" ? wanted[value] ?? 0 : Number(String(wanted) === String(value)));
    const likeness = ({ labels }) =>
      Object.entries(labels).reduce((sum, [name, value]) => sum + share(chosen[name], value), 0);
    const distance = (clip) => Math.abs(clip.pitch - pitch) - 1000 * likeness(clip);
    return this.manifest.clips.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  }

  // Resolves to { wave, clip }: the samples at the level that was generated, and which clip it is.
  note(pitch, chosen) {
    const clip = this.nearest(pitch, chosen);
    if (!this.cache.has(clip.file)) {
      const found = this.read(clip);
      found.catch(() => this.cache.delete(clip.file));
      this.cache.set(clip.file, found);
    }
    return this.cache.get(clip.file);
  }

  async read(clip) {
    const bytes = await asset(new URL(clip.file, this.folder));
    const context = new OfflineAudioContext(1, 1, this.manifest.sample_rate);
    const wave = (await context.decodeAudioData(bytes.buffer)).getChannelData(0);
    return { wave: wave.map((value) => value * clip.gain), clip };
  }
}
