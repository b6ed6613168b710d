// The keyboard on the page. It plays clips at once, and notes of its own after the network is loaded.

import { asset, receive, unpacks } from "./assets.js";
import { Clips } from "./clips.js";
import { listenToKeys } from "./computer_keys.js";
import { Conditions } from "./conditions.js";
import { Controls } from "./controls.js";
import { button, element } from "./elements.js";
import { HeldKeys } from "./held_keys.js";
import { readMidi } from "./midi_file.js";
import { MidiInput } from "./midi_input.js";
import { Network } from "./network.js";
import { Piano } from "./piano.js";
import { Picture } from "./picture.js";
import { pitchName } from "./pitches.js";
import { Pieces, Recorder } from "./takes.js";
import { Voice, peakOf } from "./voice.js";

const PEAK = 0.5; // of full scale, at the greatest velocity; several keys may sound at once
const SHORTEST = 0.2; // seconds that a key sounds which was let go before its note was there
const HELP =
  "Keys A W S E D F T G Y H U J K O L P play, Z and X move by an octave; a MIDI file can be dropped here.";
const folder = new URL(".", document.currentScript.src);
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

class Keyboard {
  constructor(root) {
    this.root = root;
    this.manifest = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    this.mode = "clips"; // or "loading", or "live"
    this.conditions = new Conditions(this.manifest);
    this.clips = new Clips(this.manifest, folder);
    this.network = new Network(this.manifest, folder, this.conditions);
    this.held = new HeldKeys((...key) => this.strike(...key), (pitch) => this.release(pitch));
    this.sounding = new Map(); // the last strike of each pitch
    this.voices = new Set(); // all that is still heard
    this.bend = 0; // of the pitch wheel, in semitones
    this.build();
  }

  // ---- the page ----

  build() {
    const { manifest } = this;
    this.status = element("p", { class: "rs-status", role: "status" });
    this.start = button(`Start the network (${megabytes(manifest.bytes)})`, () => this.load(), { class: "rs-start" });
    this.bar = element("progress", { max: manifest.bytes, value: 0, "aria-label": "Download", hidden: true });
    this.controls = new Controls(manifest, this.conditions);
    this.piano = new Piano(this.conditions, this.held);
    this.picture = new Picture(manifest);
    const say = (text) => this.say(text);
    const results = element("div", { class: "rs-results" });
    this.recorder = new Recorder(results, say, () => this.controls.even.checked);
    this.pieces = new Pieces(results, say, this.conditions, () => this.settings(), (...key) => this.prepared(...key));
    this.pieces.acceptDrops(this.root);
    const tools = element("p", { class: "rs-buttons" }, this.recorder.button, this.pieces.root, this.exampleButton());
    if (navigator.requestMIDIAccess) tools.append(this.midiButton());
    this.root.prepend(
      element("p", { class: "rs-buttons" }, this.start, this.bar), this.status,
      this.piano.root, this.controls.root, this.controls.timbre,
      element("p", { class: "rs-help" }, HELP), tools, results, this.picture.root,
    );
    // A touch counts as the reader's wish for sound only once it is lifted.
    this.root.addEventListener("pointerup", () => this.audio?.resume(), true);
    listenToKeys(this.root, this.held, () => this.piano.lowest, (by) => this.piano.shift(by));
    const missing = Network.missing();
    if (missing) this.refuse(missing);
    else this.say("Keys play notes rendered beforehand. Once started, the network makes each one here.");
    if (unpacks) this.showPicture(manifest.picture);
  }

  showPicture({ file, name }) {
    asset(new URL(file, folder)).then(
      (bytes) => this.picture.unseen && this.picture.showBytes(bytes, name),
      (error) => this.say(`No picture: ${error.message}`),
    );
  }

  exampleButton() {
    const bytes = Uint8Array.from(atob(this.manifest.example), (letter) => letter.charCodeAt(0));
    return button("Play our bass line", () => this.pieces.open(new File([bytes], "bass_line.mid"), true));
  }

  midiButton() {
    this.midi = new MidiInput(this.held, (semitones) => this.turn(semitones));
    const tell = (names) => {
      connect.textContent = names.length ? `MIDI: ${names.join(", ")}` : "MIDI: no keyboard yet";
    };
    const connect = button("Connect a MIDI keyboard", () =>
      this.midi.connect(tell).catch((error) => this.say(`No MIDI: ${error.message}`)));
    return connect;
  }

  say(text) {
    this.status.textContent = text;
  }

  refuse(reason) {
    this.mode = "clips";
    this.network.end();
    this.start.hidden = this.bar.hidden = true;
    const keys = unpacks ? "The keys play notes rendered beforehand." : "The keys are silent; the players below are not.";
    this.say(`The network cannot run here (${reason}). ${keys}`);
  }

  offerAgain(reason) {
    this.mode = "clips";
    this.start.disabled = false;
    this.bar.hidden = true;
    this.say(`The download failed (${reason}); try again. The keys play notes rendered beforehand.`);
  }

  async load() {
    this.mode = "loading";
    this.start.disabled = true;
    this.bar.hidden = false;
    this.say("Loading …");
    let files;
    try {
      files = await this.network.download((received) => (this.bar.value = received));
    } catch (error) {
      return this.offerAgain(error.message);
    }
    try {
      await this.network.begin(files);
    } catch (error) {
      return this.refuse(error.message);
    }
    this.mode = "live";
    this.start.hidden = this.bar.hidden = true;
    this.controls.setLive();
    this.say("Ready. Notes are generated in this browser as you play.");
  }

  // ---- notes ----

  // How notes sound as the controls are now; `z` only where the network plays.
  settings() {
    const { controls } = this, { even, ring } = controls;
    const z = this.mode === "live" ? controls.z(this.network) : null;
    return { z, chosen: controls.chosen(), even: even.checked, ring: ring.checked };
  }

  // What a pitch sounds like: { wave, rate, shift, level, tail }, and of a generated one `image`.
  async prepared(pitch, velocity, settings = this.settings()) {
    const { z, even, ring } = settings;
    const chosen = { ...settings.chosen, ...this.conditions.velocity(velocity) };
    const { wave, image, clip } = await (z ? this.network.note(pitch, z, chosen) : this.clips.note(pitch, chosen));
    const level = even ? PEAK / peakOf(wave) : 1;
    return {
      wave,
      image,
      rate: this.manifest.sample_rate,
      shift: pitch - (clip ? clip.pitch : this.conditions.drawn(pitch)),
      level: (level * velocity) / 127,
      tail: ring,
    };
  }

  // The way to the loudspeakers, made under the reader's finger, or browsers keep it silent. At the
  // notes' own rate they are not resampled on the way.
  open() {
    this.audio = new AudioContext({ sampleRate: this.manifest.sample_rate });
    const limits = { threshold: -3, knee: 0, ratio: 20, attack: 0.003, release: 0.1 };
    this.output = new DynamicsCompressorNode(this.audio, limits);
    this.output.connect(this.audio.destination);
  }

  async strike(pitch, velocity = 100) {
    if (!this.conditions.has(pitch))
      return this.say(`${pitchName(pitch)} is none of the instrument's keys, ${this.conditions.range()}.`);
    this.release(pitch);
    const struck = { released: false };
    this.newest = struck;
    this.sounding.set(pitch, struck);
    this.piano.light(pitch, true);
    try {
      if (!this.audio) this.open();
      const waits = this.audio.state !== "running";
      await this.audio.resume();
      // Of notes that were over before there was any sound, only the newest is heard.
      if (waits && struck.released && this.newest !== struck) return;
      const began = performance.now(), chosen = { ...this.controls.chosen(), ...this.conditions.velocity(velocity) };
      const name = pitchName(pitch) + this.controls.name(chosen);
      const note = await this.prepared(pitch, velocity);
      if (this.sounding.get(pitch) !== struck) return; // struck again meanwhile
      this.sound(pitch, struck, note);
      this.tell(pitch, name, note, performance.now() - began);
    } catch (error) {
      this.piano.light(pitch, false);
      this.say(`No sound: ${error.message}`);
    }
  }

  sound(pitch, struck, note) {
    const voice = new Voice(this.audio, this.output, note, this.audio.currentTime);
    struck.voice = voice;
    this.voices.add(voice);
    voice.bend(this.bend);
    voice.silent = () => {
      this.voices.delete(voice);
      if (this.sounding.get(pitch) === struck) this.piano.light(pitch, false);
    };
    this.recorder.add(voice, this.bend);
    if (struck.released) setTimeout(() => this.letGo(voice), 1000 * SHORTEST);
  }

  tell(pitch, name, { image, shift }, milliseconds) {
    if (!image) return this.say(`${name}: rendered beforehand${shift ? ", of a key nearby" : ""}`);
    const how = milliseconds < 5 ? "kept" : `generated in ${Math.round(milliseconds)} ms`;
    this.say(`${name}: ${how}${this.conditions.remark(pitch)}`);
    this.picture.show(image, name);
    this.picture.sweep(this.sounding.get(pitch).voice);
  }

  release(pitch) {
    this.piano.light(pitch, false);
    const struck = this.sounding.get(pitch);
    if (!struck || struck.released) return;
    struck.released = true;
    if (struck.voice) this.letGo(struck.voice);
  }

  letGo(voice) {
    voice.release();
    this.recorder.end(voice);
  }

  // The pitch wheel.
  turn(semitones) {
    this.bend = semitones;
    for (const voice of this.voices) {
      voice.bend(semitones);
      this.recorder.bend(voice, semitones);
    }
  }
}

// One player at a time: what starts to play stops the others.
document.addEventListener("play", ({ target }) => {
  for (const player of document.querySelectorAll("audio")) if (player !== target) player.pause();
}, true);

const keyboards = [];
const begin = () => {
  for (const root of document.querySelectorAll(".rs-keyboard:not([data-begun])")) {
    root.dataset.begun = "";
    keyboards.push(new Keyboard(root));
  }
};
window.ReverbSynth = { keyboards, readMidi, receive };
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
else begin();
