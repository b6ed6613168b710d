// MIDI keyboards, through the browser.

import { RESET, SUSTAIN, Wheel, endsAll } from "./midi_file.js";

export class MidiInput {
  // `held` is a HeldKeys; `bend` is told of the wheel's semitones.
  constructor(held, bend) {
    Object.assign(this, { held, bend, wheel: new Wheel() });
  }

  // Ask the reader for access; `tell` is told of the keyboards' names, again when one comes or goes.
  async connect(tell) {
    const access = await navigator.requestMIDIAccess();
    const listen = () => {
      for (const input of access.inputs.values()) input.onmidimessage = ({ data }) => this.take(data);
      tell([...access.inputs.values()].map((input) => input.name || "MIDI keyboard"));
    };
    access.onstatechange = listen;
    listen();
  }

  take([status, first, second]) {
    const kind = status & 0xf0, by = `midi ${status & 0x0f} ${first}`;
    if (kind === 0x90 && second > 0) this.held.hold(by, first, second);
    else if (kind === 0x80 || kind === 0x90) this.held.letGo(by);
    else if (kind === 0xe0) this.bend(this.wheel.semitones(first + 128 * second - 8192));
    else if (kind === 0xb0) this.control(first, second);
  }

  control(number, value) {
    this.wheel.control(number, value);
    if (number === SUSTAIN) this.held.setPedal(value >= 64);
    if (number === RESET) {
      this.held.setPedal(false);
      this.bend(0);
    }
    if (endsAll(number)) this.held.letGoAll();
  }
}
