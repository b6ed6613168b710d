// The piano on the page: two octaves from a C, or one on a narrow screen (the style hides the rest).

import { button, element } from "./elements.js";
import { isBlack, pitchName } from "./pitches.js";

export class Piano {
  constructor(conditions, held) {
    Object.assign(this, { conditions, held });
    const middle = conditions.trained[Math.floor(conditions.trained.length / 2)];
    this.lowest = Math.max(0, Math.floor((middle - 6) / 12) * 12);
    this.keys = element("div", { class: "rs-piano", role: "group", "aria-label": "Piano" });
    this.range = element("output", { class: "rs-range" });
    this.down = button("Octave down", () => this.shift(-12));
    this.up = button("Octave up", () => this.shift(12));
    const octaves = element("p", { class: "rs-buttons" }, this.down, this.range, this.up);
    this.root = element("div", {}, this.keys, octaves);
    this.listen();
    this.draw();
    // How many keys are seen depends on the page, which the piano is not in yet, and on its width.
    new ResizeObserver(() => this.limit()).observe(this.keys);
  }

  // Fingers, which may slide from key to key.
  listen() {
    const { keys, held } = this;
    const under = ({ clientX, clientY }) =>
      document.elementFromPoint(clientX, clientY)?.closest(".rs-key:not(:disabled)");
    keys.addEventListener("pointerdown", (event) => {
      const key = event.target.closest(".rs-key:not(:disabled)");
      if (!key || event.button !== 0) return;
      keys.setPointerCapture(event.pointerId);
      held.hold(`finger ${event.pointerId}`, Number(key.dataset.pitch));
    });
    keys.addEventListener("pointermove", (event) => {
      const by = `finger ${event.pointerId}`, before = held.holds.get(by);
      if (before === undefined) return;
      const key = under(event);
      const pitch = key && keys.contains(key) ? Number(key.dataset.pitch) : undefined;
      if (pitch !== undefined && pitch !== before) held.hold(by, pitch);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
      keys.addEventListener(end, (event) => held.letGo(`finger ${event.pointerId}`));
    // A click without a pointer, of Enter, Space or a screen reader, plays a note to its end.
    keys.addEventListener("click", (event) => {
      const key = event.target.closest(".rs-key");
      if (event.detail === 0 && key) held.strike(Number(key.dataset.pitch));
    });
    // Enter would click again and again while it is held.
    keys.addEventListener("keydown", (event) => {
      if (event.repeat && event.key === "Enter") event.preventDefault();
    });
  }

  draw() {
    const focused = document.activeElement?.dataset?.pitch, held = this.held.pitches();
    this.keys.replaceChildren();
    let white = 0;
    for (let pitch = this.lowest; pitch <= this.lowest + 24; pitch++) {
      const black = isBlack(pitch), remark = this.conditions.remark(pitch);
      const key = element("button", {
        type: "button",
        class: `rs-key${black ? " rs-black" : ""}${remark ? " rs-untrained" : ""}`,
        "data-pitch": pitch,
        "aria-label": `${pitchName(pitch)}, MIDI ${pitch}${remark}`,
        title: remark.slice(2) || undefined,
        style: `--place: ${white}`,
        disabled: !this.conditions.has(pitch),
      });
      if (!black) white++;
      if (pitch % 12 === 0) key.append(element("span", { "aria-hidden": "true" }, pitchName(pitch)));
      this.keys.append(key);
    }
    for (const pitch of held) this.light(pitch, true);
    this.keys.querySelector(`[data-pitch="${focused}"]`)?.focus();
    this.range.value = `from ${pitchName(this.lowest)}; it plays ${this.conditions.range()}`;
    this.limit();
  }

  limit() {
    this.down.disabled = !this.reaches(this.lowest - 12);
    this.up.disabled = !this.reaches(this.lowest + 12);
  }

  // Whether the piano may begin there: beyond the instrument's keys it need not go.
  reaches(lowest) {
    const shown = getComputedStyle(this.keys).getPropertyValue("--keys").trim() === "8" ? 12 : 24;
    const { conditions } = this;
    return lowest + 12 > conditions.lowest && lowest < conditions.highest - shown + 12;
  }

  shift(by) {
    if (!this.reaches(this.lowest + by)) return;
    this.held.letGoOfPage();
    this.lowest += by;
    this.draw();
  }

  light(pitch, on) {
    this.keys.querySelector(`[data-pitch="${pitch}"]`)?.classList.toggle("rs-on", on);
  }
}
