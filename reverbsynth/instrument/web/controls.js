// What the reader can set: timbre, labels, loudness, and how a note ends.

import { mixture, reference } from "./conditions.js";
import { button, element } from "./elements.js";
import { slerp } from "./latents.js";
import { capitalized } from "./pitches.js";

const DIAL = "effect"; // the label whose values can be mixed

export class Controls {
  constructor(manifest, conditions) {
    Object.assign(this, { manifest, conditions });
    this.root = element("div", { class: "rs-controls" });
    this.timbre = element("div", { class: "rs-controls", hidden: true });
    this.addTimbre();
    this.selects = {};
    // How hard a key is struck chooses the velocity.
    for (const [name, values] of conditions.others)
      if (values.length > 1 && name !== "velocity") this.addLabel(name, values);
    this.ring = this.tick("Let notes ring out after the key", conditions.labels[DIAL] !== undefined);
    this.even = this.tick("All notes equally loud", true);
  }

  add(box, label, ...inputs) {
    box.append(element("label", {}, `${label} `, ...inputs));
    return inputs[0];
  }

  tick(label, checked) {
    const input = element("input", { type: "checkbox", checked });
    this.root.append(element("label", {}, input, ` ${label}`));
    return input;
  }

  slider(value, step) {
    const shown = element("output");
    const input = element("input", { type: "range", min: 0, max: 1, step, value });
    const tell = () => {
      const percent = `${Math.round(100 * input.value)} %`;
      shown.value = percent;
      input.setAttribute("aria-valuetext", percent);
    };
    input.addEventListener("input", tell);
    tell();
    return [input, shown];
  }

  addTimbre() {
    const last = this.manifest.seeds - 1;
    const seed = (value) => {
      const onchange = () => (input.value = this.seed(input));
      const input = element("input", { type: "number", min: 0, max: last, value, onchange });
      return input;
    };
    this.first = this.add(this.timbre, `Timbre A (0 to ${last})`, seed(0));
    this.second = this.add(this.timbre, "Timbre B", seed(1));
    this.blend = this.add(this.timbre, "From timbre A to B", ...this.slider(0, 0.05));
    const another = () => (this.first.value = Math.floor(Math.random() * this.manifest.seeds));
    this.timbre.append(button("Another timbre A", another));
  }

  // How much of an effect there is: of two effects a dial alone, of more a menu and a dial.
  addLabel(name, values) {
    const two = name === DIAL && values.length === 2;
    if (!two) {
      const options = values.map((value) => element("option", { value }, value));
      this.selects[name] = this.add(this.root, capitalized(name), element("select", {}, ...options));
    }
    if (name !== DIAL) return;
    const label = two ? `Amount of ${this.other(values)}` : `Amount of the ${name}`;
    // Clips are of one value or the other; the network can be asked for mixtures.
    this.hint = element("span", {}, "(none or all, until the network is started)");
    this.dial = this.add(this.root, label, ...this.slider(two ? 0 : 1, 1), this.hint);
    if (!two) this.dial.parentElement.hidden = true;
  }

  // The network plays from now on.
  setLive() {
    this.timbre.hidden = false;
    if (!this.dial) return;
    this.dial.step = 0.05;
    this.hint.remove();
    this.dial.parentElement.hidden = false;
  }

  other(values) {
    return values.find((value) => value !== reference(values));
  }

  // The value of each label but the pitch, or a mixture { value: weight }.
  chosen() {
    const values = this.conditions.others.map(([name, values]) => {
      const dial = name === DIAL && this.dial;
      const whole = this.selects[name]?.value ?? (dial ? this.other(values) : values[0]);
      return [name, dial ? mixture(reference(values), whole, Number(dial.value)) : whole];
    });
    return Object.fromEntries(values);
  }

  // A timbre's number, within what there is.
  seed({ value }) {
    return Math.min(this.manifest.seeds - 1, Math.max(0, Math.round(Number(value)) || 0));
  }

  // The latent vector between the two timbres.
  z(network) {
    const [a, b] = [this.first, this.second].map((input) => network.latent(this.seed(input)));
    return slerp(a, b, Number(this.blend.value));
  }

  // Notes, as text: "C2, reverb".
  name(chosen) {
    const text = (value) =>
      typeof value === "object"
        ? Object.entries(value).map(([name, share]) => `${Math.round(100 * share)} % ${name}`).join(" and ")
        : String(value);
    return Object.values(chosen).map((value) => `, ${text(value)}`).join("");
  }
}
