// One sounding note. The same code plays it at once, and into a file.

import { CROSSFADE, OFF, tailOf } from "./release.js";

const ATTACK = 0.01; // seconds, as reverbsynth.instrument.release
const FADE = 0.3;

// `note` is { wave, rate, shift, level, tail }: samples, how many a second, semitones that they are
// moved by, gain, and whether the note goes on from its own release when its key is let go. Times
// are the context's; `silent` is called when nothing is heard any more.
export class Voice {
  constructor(context, output, note, when) {
    Object.assign(this, { context, note });
    this.rate = note.rate;
    this.start = this.onGrid(when);
    this.semitones = note.shift;
    this.parts = new Set(); // that sound
    this.turned = this.start; // when the pitch last changed, and where in the note that was
    this.place = 0;
    this.buffer = context.createBuffer(1, note.wave.length, note.rate);
    this.buffer.copyToChannel(closed(note.wave, ATTACK * note.rate), 0);
    // Goes on beside what ends the note, which may be let go meanwhile.
    this.attack = context.createGain();
    this.attack.gain.setValueAtTime(0, this.start);
    this.attack.gain.linearRampToValueAtTime(1, this.start + ATTACK);
    this.attack.connect(output);
    this.head = this.play(this.start, 0);
    this.head.gain.gain.setValueAtTime(note.level, this.start);
    this.limit();
  }

  // Whole samples, so that samples are played as they are and not between them.
  onGrid(time) {
    return Math.round(time * this.rate) / this.rate;
  }

  play(when, from) {
    const gain = this.context.createGain();
    const source = this.context.createBufferSource();
    source.buffer = this.buffer;
    source.detune.value = 100 * this.semitones; // At some time it would come up to 128 samples late.
    source.connect(gain).connect(this.attack);
    source.start(when, from);
    const part = { source, gain };
    this.parts.add(part);
    source.onended = () => {
      this.parts.delete(part);
      if (!this.parts.size) this.silent?.();
    };
    return part;
  }

  speed() {
    return 2 ** (this.semitones / 12);
  }

  // Seconds into the note at some time.
  placeAt(time) {
    return this.place + Math.max(0, time - this.turned) * this.speed();
  }

  // Move the pitch by so many semitones from now on; both what sounds and the tail that may come.
  bend(semitones, when = this.context.currentTime) {
    const from = Math.max(when, this.start);
    this.place = this.placeAt(from);
    this.turned = from;
    this.semitones = this.note.shift + semitones;
    for (const { source } of this.parts) source.detune.setValueAtTime(100 * this.semitones, from);
    if (!this.released) this.limit();
  }

  // Without its tail a note fades out before its own release, also while its key is held.
  limit() {
    const left = OFF / this.rate - this.place;
    if (!this.note.tail && left > 0) this.fadeOut(this.turned + left / this.speed());
  }

  release(when = this.context.currentTime) {
    if (this.released) return;
    this.released = true;
    const at = this.onGrid(Math.max(when, this.start));
    const place = Math.round(this.placeAt(at) * this.rate);
    const tail = this.note.tail ? tailOf(this.note.wave, place) : null;
    if (tail) this.goOn(tail, at);
    else if (!this.note.tail && place < OFF) this.fadeOut(at);
  }

  goOn({ from, gain }, at) {
    const seconds = CROSSFADE / this.rate / this.speed();
    this.fadeOut(at, seconds);
    const { gain: rise } = this.play(at, from / this.rate).gain;
    rise.setValueAtTime(0, at);
    rise.linearRampToValueAtTime(this.note.level * gain, at + seconds);
  }

  fadeOut(at, seconds = FADE / this.speed()) {
    const { level } = this.note, { gain } = this.head.gain;
    gain.cancelScheduledValues(this.start);
    gain.setValueAtTime(level, this.start);
    gain.setValueAtTime(level, at);
    gain.linearRampToValueAtTime(0, at + seconds);
    this.head.source.stop(at + seconds);
  }
}

// Faded out over its last samples.
function closed(wave, samples) {
  const result = wave.slice();
  const first = result.length - samples;
  for (let i = Math.max(first, 0); i < result.length; i++)
    result[i] *= (result.length - 1 - i) / (samples - 1);
  return result;
}

export function peakOf(wave) {
  let peak = 1e-9;
  for (const value of wave) peak = Math.max(peak, Math.abs(value));
  return peak;
}
