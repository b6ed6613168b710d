// What was played, as a WAV file: recordings, and MIDI files.

import { button, element } from "./elements.js";
import { readMidi } from "./midi_file.js";
import { capitalized, pitchName } from "./pitches.js";
import { Mix } from "./wav.js";

const LONGEST = 20 * 60; // seconds that a browser's memory holds with ease

export class Recorder {
  // `results` is the element that finished recordings are put into, `say` tells the reader.
  constructor(results, say, even) {
    Object.assign(this, { results, say, even });
    this.button = button("Record", () => this.toggle());
    this.notes = null; // while it records
    this.ofVoices = new WeakMap(); // the notes, by the voices that sound them
    this.taken = null; // what was recorded, until it is mixed
  }

  toggle() {
    if (this.notes) this.stop();
    else if (this.taken) this.mix();
    else this.begin();
  }

  begin() {
    this.notes = [];
    this.timer = setTimeout(() => this.stop(), 1000 * LONGEST);
    this.button.textContent = "Stop recording";
    this.button.setAttribute("aria-pressed", "true");
  }

  stop() {
    const { notes } = this;
    clearTimeout(this.timer);
    this.notes = null;
    this.ofVoices = new WeakMap();
    this.button.textContent = "Record";
    this.button.removeAttribute("aria-pressed");
    if (!notes.length) return this.say("Nothing was played, so nothing was recorded.");
    const [{ start: first }] = notes;
    this.taken = notes.map(({ start, end = this.context.currentTime, bends, ...note }) => ({
      ...note,
      start: start - first,
      end: end - first,
      bends: bends.map(([time, semitones]) => [time - first, semitones]),
    }));
    this.mix();
  }

  async mix() {
    this.say("Recording: mixing …");
    this.button.disabled = true;
    try {
      const mix = new Mix();
      for (const note of this.taken) await mix.add(note, false);
      this.results.prepend(result(await mix.file(this.even()), "Recording"));
      this.taken = null;
      this.say("Recording: ready.");
    } catch (error) {
      this.say(`Recording: ${error.message}`);
    }
    this.button.disabled = false;
    this.button.textContent = this.taken ? "Mix the recording again" : "Record";
  }

  // A note began; later its bends and its end are told of the same voice.
  add(voice, bend) {
    if (!this.notes) return;
    const note = { ...voice.note, start: voice.start, bends: [[voice.start, bend]] };
    this.context = voice.context;
    this.notes.push(note);
    this.ofVoices.set(voice, note);
  }

  bend(voice, semitones) {
    this.ofVoices.get(voice)?.bends.push([this.context.currentTime, semitones]);
  }

  end(voice) {
    const note = this.ofVoices.get(voice);
    if (note) note.end ??= this.context.currentTime;
  }
}

export class Pieces {
  // `conditions` knows the range; `prepared` resolves to what a pitch and a velocity sound like by
  // what `settings` returns.
  constructor(results, say, conditions, settings, prepared) {
    Object.assign(this, { results, say, conditions, settings, prepared });
    const input = element("input", { type: "file", accept: ".mid,.midi,.rmi,.kar", onchange: () => this.chosen(input) });
    this.root = element("label", { class: "rs-file" }, "Play a MIDI file", input);
  }

  // Of a file that is chosen again, browsers tell only if the field has forgotten it.
  chosen(input) {
    const [file] = input.files;
    input.value = "";
    return this.open(file);
  }

  // Files can be dropped onto the whole keyboard.
  acceptDrops(root) {
    root.addEventListener("dragover", (event) => event.preventDefault());
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      this.open(event.dataTransfer.files[0]);
    });
  }

  // With `heard` it also begins to play, unless the browser wants another click for that by then.
  async open(file, heard = false) {
    if (!file) return;
    try {
      const parts = readMidi(await file.arrayBuffer());
      const shown = await this.play(parts, file.name);
      this.results.prepend(shown);
      this.say(`${file.name}: rendered.`);
      if (heard) shown.querySelector("audio").play().catch(() => {});
    } catch (error) {
      this.say(`${file.name}: ${error.message}`);
    }
  }

  async play(parts, name) {
    const settings = this.settings(); // of the whole piece, whatever is moved meanwhile
    const played = parts.filter(({ drums }) => !drums);
    const lines = parts.map((part) => this.describe(part));
    const all = played.flatMap(({ notes }) => notes);
    const notes = all
      .map((note) => ({ ...note, key: this.conditions.inRange(note.pitch) }))
      .filter(({ key }) => key !== null);
    if (!all.length) throw new Error("found nothing but drums, which the instrument cannot play");
    if (!notes.length) throw new Error(`found no note within the instrument's keys, ${this.conditions.range()}`);
    if (notes.some(({ end }) => end > LONGEST))
      throw new Error(`lasts over ${LONGEST / 60} minutes; \`reverbsynth play\` renders it`);
    const moved = notes.filter(({ key, pitch }) => key !== pitch).length;
    if (moved) lines.push(`${counted(moved)} transposed by octaves, into the instrument's range`);
    if (notes.length < all.length) lines.push(`${counted(all.length - notes.length)} left out`);
    const mix = new Mix();
    let done = 0, told = -Infinity;
    for (const { key, velocity, level, start, end, bends } of notes) {
      done++;
      // No oftener than a screen reader can say it.
      if (performance.now() - told >= 1000) {
        told = performance.now();
        this.say(`${name}: ${pitchName(key)}, note ${done} of ${notes.length}`);
      }
      // As in Python, a note that starts bent is drawn so, and what is heard peaks at its velocity.
      const [[, first]] = bends;
      const sound = await this.prepared(key + first, velocity, settings);
      const further = bends.map(([time, semitones]) => [time, semitones - first]);
      await mix.add({ ...sound, level: level * sound.level, start, end, bends: further }, settings.even);
    }
    this.say(`${name}: mixing ${notes.length} notes`);
    return result(await mix.file(true), name.replace(/\.[^.]*$/, ""), lines);
  }

  describe({ name, channel, drums, notes }) {
    const title = name ? `${name} (channel ${channel})` : `channel ${channel}`;
    return `${capitalized(title)}: ${counted(notes.length)}${drums ? ", drums, skipped" : ""}`;
  }
}

const counted = (notes) => `${notes} ${notes === 1 ? "note" : "notes"}`;

// A player with a link that saves the file.
function result(wav, name, lines = []) {
  const address = URL.createObjectURL(wav);
  const player = element("audio", { controls: true, src: address, "aria-label": name });
  const save = element("a", { href: address, download: `${name}.wav` }, `Save ${name}.wav`);
  const list = element("ul", {}, ...lines.map((line) => element("li", {}, line)));
  return element("div", { class: "rs-result" }, element("p", {}, name), player, save, ...(lines.length ? [list] : []));
}
