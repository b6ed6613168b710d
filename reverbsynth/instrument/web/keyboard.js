// A keyboard that generates its notes in the reader's browser, or plays clips where it cannot.
// A classic script, because a page opened from a file may not load modules.
"use strict";

(() => {
  const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
  const KEYS = [
    ...["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU"],
    ...["KeyJ", "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon"],
  ];
  const ATTACK = 0.01; // seconds, as in GANSynth
  const RELEASE = 0.3;
  const PEAK = 0.8; // of full scale, at the greatest velocity
  const CACHED_NOTES = 64;
  const DIAL = "effect"; // the label whose values can be mixed
  const folder = new URL(".", document.currentScript.src);

  const nameOf = (pitch) => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
  const isBlack = (pitch) => NAMES[pitch % 12].length > 1;
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  // As reverbsynth.latents.slerp.
  function slerp(a, b, share) {
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

  class Keyboard {
    constructor(root) {
      this.root = root;
      this.manifest = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      this.labels = Object.fromEntries(this.manifest.labels);
      this.pitches = this.labels.pitch;
      this.trained = this.manifest.trained_pitches;
      this.harmonic = this.manifest.pitch_input === "harmonic";
      this.lowest = this.firstOctave();
      this.bend = 0; // of the pitch wheel, in semitones
      this.cache = new Map();
      this.pending = new Map();
      this.sounding = new Map();
      this.serial = 0;
      this.mode = "idle";
      this.build();
    }

    // ---- the page ----

    build() {
      const { manifest } = this;
      this.status = element("p", { class: "rs-status", role: "status" });
      this.start = element("button", {
        type: "button",
        class: "rs-start",
        onclick: () => this.load().catch((error) => this.fall(error.message)),
      }, `Start the keyboard (${megabytes(manifest.bytes)})`);
      this.bar = element("progress", { max: manifest.counted, value: 0, "aria-label": "Download" });
      this.bar.hidden = true;
      this.panel = element("div", { class: "rs-panel" });
      this.panel.hidden = true;
      this.root.append(element("p", { class: "rs-buttons" }, this.start, this.bar), this.status, this.panel);
      const missing = this.missing();
      if (missing) this.fall(missing);
    }

    missing() {
      if (location.protocol === "file:") return "this page was opened from a file";
      if (typeof WebAssembly !== "object") return "this browser has no WebAssembly";
      if (typeof Worker !== "function" || typeof DecompressionStream !== "function")
        return "this browser is too old";
      return null;
    }

    open() {
      this.start.hidden = true;
      this.bar.hidden = true;
      this.panel.hidden = false;
      this.piano = element("div", { class: "rs-piano", role: "group", "aria-label": "Piano" });
      this.range = element("output", { class: "rs-range" });
      const shift = (by, text) =>
        element("button", { type: "button", onclick: () => this.shift(by) }, text);
      const octaves = element(
        "p", { class: "rs-buttons" }, shift(-12, "Octave down"), this.range, shift(12, "Octave up"),
      );
      this.panel.append(this.controls(), octaves, this.piano);
      if (this.mode === "live") this.panel.append(this.picture());
      this.panel.append(this.help());
      this.draw();
      document.addEventListener("keydown", (event) => this.key(event, true));
      document.addEventListener("keyup", (event) => this.key(event, false));
      window.addEventListener("blur", () => this.releaseAll());
    }

    controls() {
      const box = element("div", { class: "rs-controls" });
      const field = (label, input) => box.append(element("label", {}, `${label} `, input));
      if (this.mode === "live") {
        const seed = (value) =>
          element("input", { type: "number", min: 0, max: this.manifest.seeds - 1, value });
        this.first = seed(0);
        this.second = seed(1);
        this.blend = element("input", { type: "range", min: 0, max: 1, step: 0.05, value: 0 });
        field("Timbre A (seed)", this.first);
        field("Timbre B (seed)", this.second);
        field("From A to B", this.blend);
      }
      this.selects = {};
      for (const [name, values] of Object.entries(this.labels)) {
        if (name === "pitch" || values.length < 2) continue;
        const dial = name === DIAL && this.mode === "live";
        if (dial && values.length === 2) {
          field(`Amount of ${this.other(values)}`, this.amount(0));
          continue;
        }
        const options = values.map((value) => element("option", { value }, value));
        this.selects[name] = element("select", { onchange: () => this.draw() }, ...options);
        field(name[0].toUpperCase() + name.slice(1), this.selects[name]);
        if (dial) field(`Amount of the ${name}`, this.amount(1));
      }
      return box;
    }

    // How much of an effect there is: a mixture of its one-hot vector and the reference's.
    amount(value) {
      this.dial = element("input", { type: "range", min: 0, max: 1, step: 0.05, value });
      const tell = () =>
        this.dial.setAttribute("aria-valuetext", `${Math.round(100 * this.dial.value)} %`);
      this.dial.addEventListener("input", tell);
      tell();
      return this.dial;
    }

    // As reverbsynth.instrument.label_mixture.reference: what the others are an amount of.
    reference(values) {
      return values.includes("dry") ? "dry" : values[0];
    }

    other(values) {
      return values.find((value) => value !== this.reference(values));
    }

    picture() {
      this.canvas = element("canvas", { width: 640, height: 256, role: "img" });
      this.canvas.setAttribute("aria-label", "Image of the last note; none yet");
      const caption =
        "What the network drew: log-magnitude (left) and instantaneous frequency (right); " +
        "time runs to the right, mel frequency upwards.";
      return element("figure", {}, this.canvas, element("figcaption", {}, caption));
    }

    help() {
      const keys = "A W S E D F T G Y H U J K O L P: keys of the piano; Z and X: octave down and up.";
      const box = element("p", { class: "rs-help" }, keys);
      if (navigator.requestMIDIAccess && this.mode === "live") {
        const connect = element("button", { type: "button" }, "Connect a MIDI keyboard");
        connect.addEventListener("click", () => this.midi(connect));
        box.append(" ", connect);
      }
      return box;
    }

    // Two octaves from a C, or fewer on a narrow screen (the style hides the second).
    draw() {
      const focused = document.activeElement?.dataset?.pitch;
      this.piano.replaceChildren();
      let white = 0;
      for (let pitch = this.lowest; pitch <= this.lowest + 24; pitch++) {
        const black = isBlack(pitch);
        const key = element("button", {
          type: "button",
          class: `rs-key${black ? " rs-black" : ""}${this.remark(pitch) ? " rs-untrained" : ""}`,
          "data-pitch": pitch,
          "aria-label": `${nameOf(pitch)}, MIDI ${pitch}${this.remark(pitch)}`,
          title: this.remark(pitch).slice(2) || undefined,
          style: `--place: ${white}`,
          disabled: !this.playable(pitch),
        });
        if (!black) white++;
        if (pitch % 12 === 0) key.append(element("span", { "aria-hidden": "true" }, nameOf(pitch)));
        key.addEventListener("pointerdown", (event) => {
          if (event.button !== 0) return;
          key.setPointerCapture(event.pointerId);
          this.strike(pitch);
        });
        for (const end of ["pointerup", "pointercancel"])
          key.addEventListener(end, () => this.release(pitch));
        // A click without a pointer: Enter, Space, or a screen reader.
        key.addEventListener("click", (event) => {
          if (event.detail === 0) this.strike(pitch);
        });
        this.piano.append(key);
      }
      this.piano.querySelector(`[data-pitch="${focused}"]`)?.focus();
      this.range.value = `from ${nameOf(this.lowest)}`;
    }

    playable(pitch) {
      return this.mode === "live" ? this.pitches.includes(pitch) : Boolean(this.clip(pitch));
    }

    // As Instrument.drawn_pitch: what the network draws; the rest is resampled.
    drawn(pitch) {
      const { trained } = this;
      if (this.harmonic) return Math.min(Math.max(pitch, trained[0]), trained[trained.length - 1]);
      return trained.reduce((a, b) => (Math.abs(b - pitch) < Math.abs(a - pitch) ? b : a));
    }

    // As Instrument.remark.
    remark(pitch) {
      if (!this.pitches.includes(pitch) || this.trained.includes(pitch)) return "";
      const drawn = this.drawn(pitch);
      return `, no training notes${drawn === pitch ? "" : `, ${nameOf(drawn)} resampled`}`;
    }

    firstOctave() {
      const middle = this.trained[Math.floor(this.trained.length / 2)];
      return Math.max(0, Math.floor((middle - 6) / 12) * 12);
    }

    shift(by) {
      const next = this.lowest + by;
      const last = this.pitches[this.pitches.length - 1];
      if (next + 24 < this.pitches[0] || next > last || next < 0) return;
      this.releaseAll();
      this.lowest = next;
      this.draw();
    }

    say(text) {
      this.status.textContent = text;
    }

    // ---- clips, where notes cannot be generated ----

    fall(reason) {
      this.mode = "clips";
      this.worker?.terminate();
      this.say(`Notes cannot be generated here (${reason}). The keys play notes rendered beforehand.`);
      this.open();
    }

    clip(pitch) {
      const chosen = this.chosen();
      return this.manifest.clips.find(
        (clip) =>
          clip.pitch === pitch &&
          Object.entries(chosen).every(([name, value]) => clip.labels[name] === value),
      );
    }

    // ---- notes ----

    async load() {
      this.start.disabled = true;
      this.bar.hidden = false;
      this.say("Loading …");
      // Made under the reader's press of the button, or browsers keep it silent.
      this.audio = new AudioContext();
      const { manifest } = this;
      this.worker = new Worker(new URL("synthesizer.js", folder), { type: "module" });
      const ready = new Promise((resolve, reject) => {
        this.worker.onerror = (event) => reject(new Error(event.message || "its script failed"));
        this.worker.onmessage = ({ data }) => {
          if (data.type === "progress") this.bar.value = data.received;
          else if (data.type === "ready") resolve();
          else if (data.type === "error" && data.id === undefined) reject(new Error(data.message));
          else this.answer(data);
        };
      });
      const seeds = await fetch(new URL(manifest.latents, folder));
      if (!seeds.ok) throw new Error(`${manifest.latents}: ${seeds.status}`);
      this.latents = new Float32Array(await seeds.arrayBuffer());
      const { model, runtime, latent_size: latentSize } = manifest;
      const width = this.condition(this.trained[0], this.chosen()).length;
      this.worker.postMessage({ type: "start", model, runtime, latentSize, width });
      await ready;
      this.mode = "live";
      this.say("Ready. Notes are generated in this browser as you play.");
      this.open();
    }

    answer(data) {
      const waiting = this.pending.get(data.id);
      this.pending.delete(data.id);
      if (!waiting) return;
      if (data.type === "error") waiting.reject(new Error(data.message));
      else waiting.resolve({ wave: data.wave, image: data.image });
    }

    latent(seed) {
      const size = this.manifest.latent_size;
      return this.latents.slice(seed * size, (seed + 1) * size);
    }

    seedOf(input) {
      const last = this.manifest.seeds - 1;
      return Math.min(last, Math.max(0, Math.round(Number(input.value)) || 0));
    }

    chosen() {
      const first = Object.entries(this.labels).filter(([name]) => name !== "pitch");
      return Object.fromEntries(
        first.map(([name, values]) => {
          const dial = name === DIAL && this.dial;
          const whole = this.selects?.[name]?.value ?? (dial ? this.other(values) : values[0]);
          return [name, dial ? this.mixture(this.reference(values), whole, Number(dial.value)) : whole];
        }),
      );
    }

    // As reverbsynth.instrument.label_mixture.mix_labels.
    mixture(first, second, share) {
      if (share === 0 || share === 1 || first === second) return share === 1 ? second : first;
      return { [first]: 1 - share, [second]: share };
    }

    condition(pitch, chosen) {
      const blocks = Object.entries(this.labels).map(([name, values]) => {
        if (name === "pitch" && this.harmonic) return [this.drawn(pitch)];
        const wanted = name === "pitch" ? this.drawn(pitch) : chosen[name];
        if (typeof wanted === "object") return values.map((value) => wanted[value] ?? 0);
        return values.map((value) => (value === wanted ? 1 : 0));
      });
      return Float32Array.from(blocks.flat());
    }

    // Resolves to { wave, image } as Float32Array, of any z [latent_size].
    generate(pitch, z, chosen = this.chosen()) {
      const id = this.serial++;
      const condition = this.condition(pitch, chosen);
      return new Promise((resolve, reject) => {
        this.pending.set(id, { resolve, reject });
        this.worker.postMessage({ type: "note", id, z, condition });
      });
    }

    note(pitch) {
      const [a, b, share] = [this.seedOf(this.first), this.seedOf(this.second), this.blend.value];
      const chosen = this.chosen();
      const key = JSON.stringify([pitch, a, b, share, chosen]);
      let found = this.cache.get(key);
      if (!found) {
        const z = slerp(this.latent(a), this.latent(b), Number(share));
        found = this.generate(pitch, z, chosen);
        found.catch(() => this.cache.delete(key));
        this.cache.set(key, found);
        if (this.cache.size > CACHED_NOTES) this.cache.delete(this.cache.keys().next().value);
      }
      return found;
    }

    async strike(pitch, velocity = 100) {
      if (!this.playable(pitch)) return;
      this.release(pitch);
      const voice = { released: false };
      this.sounding.set(pitch, voice);
      this.light(pitch, true);
      if (this.mode === "clips") {
        voice.player = new Audio(new URL(this.clip(pitch).file, folder).href);
        voice.player.play().catch((error) => this.say(`The clip does not play: ${error.message}`));
        this.say(`${nameOf(pitch)}, rendered beforehand`);
        return;
      }
      try {
        await this.audio.resume();
        const started = performance.now();
        const { wave, image } = await this.note(pitch);
        const milliseconds = Math.round(performance.now() - started);
        const how = milliseconds < 5 ? "kept" : `generated in ${milliseconds} ms`;
        this.say(`${nameOf(pitch)}: ${how}${this.remark(pitch)}`);
        voice.shift = pitch - this.drawn(pitch);
        this.sound(voice, wave, velocity);
        this.show(image, pitch);
      } catch (error) {
        this.light(pitch, false);
        this.say(`No sound: ${error.message}`);
      }
    }

    sound(voice, wave, velocity) {
      const buffer = this.audio.createBuffer(1, wave.length, this.manifest.sample_rate);
      buffer.copyToChannel(wave, 0);
      let loudest = 1e-9;
      for (const value of wave) loudest = Math.max(loudest, Math.abs(value));
      const gain = this.audio.createGain();
      const now = this.audio.currentTime;
      gain.gain.setValueAtTime(0, now);
      gain.gain.linearRampToValueAtTime((PEAK * velocity) / 127 / loudest, now + ATTACK);
      const source = this.audio.createBufferSource();
      source.buffer = buffer;
      source.detune.value = 100 * (voice.shift + this.bend);
      source.connect(gain).connect(this.audio.destination);
      source.start();
      Object.assign(voice, { source, gain, level: (PEAK * velocity) / 127 / loudest });
      // A key let go while its note was computed still sounds, shortly.
      if (voice.released) this.fade(voice, 0.2);
    }

    release(pitch) {
      this.light(pitch, false);
      const voice = this.sounding.get(pitch);
      if (!voice || voice.released) return;
      voice.released = true;
      if (voice.gain) this.fade(voice, 0);
    }

    fade(voice, after) {
      const from = this.audio.currentTime + after;
      const { gain } = voice.gain;
      if (after === 0) gain.cancelScheduledValues(from);
      gain.setValueAtTime(after === 0 ? gain.value : voice.level, from);
      gain.linearRampToValueAtTime(0, from + RELEASE);
      voice.source.stop(from + RELEASE);
    }

    releaseAll() {
      for (const pitch of this.sounding.keys()) this.release(pitch);
    }

    light(pitch, on) {
      this.piano?.querySelector(`[data-pitch="${pitch}"]`)?.classList.toggle("rs-on", on);
    }

    // ---- computer keys and MIDI ----

    key(event, down) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const on = event.target;
      if (on instanceof HTMLElement && (on.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(on.tagName)))
        if (on.type !== "range") return;
      const bounds = this.root.getBoundingClientRect();
      if (down && (bounds.bottom < 0 || bounds.top > window.innerHeight)) return;
      const step = KEYS.indexOf(event.code);
      if (step >= 0) {
        event.preventDefault();
        if (down) this.strike(this.lowest + step);
        else this.release(this.lowest + step);
      } else if (down && event.code === "KeyZ") this.shift(-12);
      else if (down && event.code === "KeyX") this.shift(12);
    }

    async midi(button) {
      try {
        const access = await navigator.requestMIDIAccess();
        const listen = () => {
          for (const input of access.inputs.values())
            input.onmidimessage = ({ data: [status, pitch, velocity] }) => {
              const kind = status & 0xf0;
              if (kind === 0x90 && velocity > 0) this.strike(pitch, velocity);
              else if (kind === 0x80 || kind === 0x90) this.release(pitch);
              else if (kind === 0xe0) this.wheel((pitch + 128 * velocity - 8192) / 4096);
            };
          button.textContent = `MIDI keyboards: ${access.inputs.size}`;
        };
        access.onstatechange = listen;
        listen();
      } catch (error) {
        this.say(`No MIDI: ${error.message}`);
      }
    }

    // The pitch wheel reaches two semitones, as MIDI has it unless told otherwise.
    wheel(semitones) {
      this.bend = semitones;
      for (const { source, shift } of this.sounding.values())
        if (source) source.detune.value = 100 * (shift + semitones);
    }

    // ---- the picture ----

    show(image, pitch) {
      const [height, width] = this.manifest.image;
      const size = height * width;
      const magnitude = image.subarray(0, size);
      const frequency = image.subarray(size);
      const loudest = magnitude.reduce((a, b) => Math.max(a, b), -Infinity);
      const context = this.canvas.getContext("2d");
      const half = this.canvas.width / 2;
      context.imageSmoothingEnabled = false;
      // Magnitudes over 16 nepers below the loudest; frequencies over a whole turn.
      this.paint(context, magnitude, 0, half - 2, (value) => heat((value - loudest) / 16 + 1));
      this.paint(context, frequency, half + 2, half - 2, (value) => wheel(value));
      const label = `Image of ${nameOf(pitch)}: log-magnitude and instantaneous frequency`;
      this.canvas.setAttribute("aria-label", label);
      this.sweep(half);
    }

    paint(context, values, left, across, colour) {
      const [height, width] = this.manifest.image; // frames, bins
      const pixels = new ImageData(height, width);
      for (let frame = 0; frame < height; frame++)
        for (let bin = 0; bin < width; bin++) {
          const at = 4 * ((width - 1 - bin) * height + frame);
          pixels.data.set(colour(values[frame * width + bin]), at);
        }
      const small = document.createElement("canvas");
      [small.width, small.height] = [height, width];
      small.getContext("2d").putImageData(pixels, 0, 0);
      context.drawImage(small, left, 0, across, this.canvas.height);
    }

    // A line that moves with the sound, unless the reader asked for no motion.
    sweep(half) {
      cancelAnimationFrame(this.frame);
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
      const context = this.canvas.getContext("2d");
      const still = context.getImageData(0, 0, this.canvas.width, this.canvas.height);
      const began = this.audio.currentTime;
      // The image begins with silence: 3072 of its 67,072 samples (reverbsynth.spectra.stft).
      const lead = 3072 / this.manifest.sample_rate;
      const step = () => {
        const played = this.audio.currentTime - began + lead;
        context.putImageData(still, 0, 0);
        const share = played / (lead + this.manifest.note_seconds);
        if (share >= 1) return;
        context.fillStyle = "#fff";
        for (const left of [0, half + 2]) context.fillRect(left + share * (half - 2), 0, 1.5, this.canvas.height);
        this.frame = requestAnimationFrame(step);
      };
      this.frame = requestAnimationFrame(step);
    }
  }

  // Dark blue over red to light yellow.
  function heat(share) {
    const x = Math.min(1, Math.max(0, share));
    return [255 * Math.min(1, 1.6 * x), 255 * x * x, 255 * (0.35 + 0.3 * Math.sin(Math.PI * x)) * (x > 0 ? 1 : 0.6), 255];
  }

  // Half turns a frame, a colour wheel: -1 and 1 are the same.
  function wheel(halfTurns) {
    const part = (offset) => 255 * (0.5 + 0.45 * Math.cos(Math.PI * (halfTurns + offset)));
    return [part(0), part(2 / 3), part(-2 / 3), 255];
  }

  const keyboards = [];
  const begin = () => {
    for (const root of document.querySelectorAll(".rs-keyboard:not([data-begun])")) {
      root.dataset.begun = "";
      keyboards.push(new Keyboard(root));
    }
  };
  window.ReverbSynth = { keyboards };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
