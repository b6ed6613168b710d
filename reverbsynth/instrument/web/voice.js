// One sounding note. The same code plays it at once, and into a file.

import { CROSSFADE, tailOf } from "./release.js";

const ATTACK = 0.01; // seconds, as reverbsynth.instrument.release
const FADE = 0.3;

// `note` is { wave, rate, shift, level, tail }: samples, how many a second, semitones that they are
// moved by, gain, and whether the note goes on from its own release when its key is let go. Times
// are the context's; `silent` is called when nothing is heard any more.
export class Voice {
  constructor(context, output, note, when) {
    Object.assign(this, { context, output, note });
    this.rate = note.rate;
    this.start = this.onGrid(when);
    this.semitones = note.shift;
    this.parts = new Set(); // that sound
    this.turned = this.start; // when the pitch last changed, and where in the note that was
    this.place = 0;
    this.buffer = context.createBuffer(1, note.wave.length, note.rate);
    this.buffer.copyToChannel(closed(note.wave, ATTACK * note.rate), 0);
    this.head = this.play(this.start, 0);
    this.head.gain.gain.setValueAtTime(0, this.start);
    this.head.gain.gain.linearRampToValueAtTime(note.level, this.start + ATTACK);
  }

  // Whole samples, so that samples are played as they are and not between them.
  onGrid(time) {
    return Math.round(time * this.rate) / this.rate;
  }

  play(when, from) {
    const gain = this.context.createGain();
    const source = this.context.createBufferSource();
    source.buffer = this.buffer;
    source.detune.setValueAtTime(100 * this.semitones, when);
    source.connect(gain).connect(this.output);
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
  }

  release(when = this.context.currentTime) {
    if (this.released) return;
    this.released = true;
    const at = this.onGrid(Math.max(when, this.start));
    const tail = this.note.tail ? tailOf(this.note.wave, Math.round(this.placeAt(at) * this.rate)) : null;
    if (tail) this.goOn(tail, at);
    else if (!this.note.tail) this.fadeOut(at, FADE);
  }

  goOn({ from, gain }, at) {
    const seconds = CROSSFADE / this.rate / this.speed();
    this.fadeOut(at, seconds);
    const { gain: rise } = this.play(at, from / this.rate).gain;
    rise.setValueAtTime(0, at);
    rise.linearRampToValueAtTime(this.note.level * gain, at + seconds);
  }

  // From the level at that time, which an attack may not have brought to its full yet.
  fadeOut(at, seconds) {
    const { gain } = this.head.gain;
    const level = this.note.level * Math.min(1, (at - this.start) / ATTACK);
    gain.cancelScheduledValues(this.start);
    gain.setValueAtTime(0, this.start);
    gain.linearRampToValueAtTime(level, Math.min(at, this.start + ATTACK));
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
