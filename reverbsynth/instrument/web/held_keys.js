// Which keys are held down, and by what: a computer's key, a finger, a MIDI keyboard. A key sounds
// as long as anything holds it, and letting go of it always counts.

export class HeldKeys {
  constructor(strike, release) {
    Object.assign(this, { strike, release });
    this.holds = new Map(); // pitch, by what holds it
    this.sustained = new Set();
    this.pedal = false;
  }

  hold(by, pitch, velocity) {
    this.letGo(by);
    this.holds.set(by, pitch);
    this.sustained.delete(pitch);
    this.strike(pitch, velocity);
  }

  letGo(by) {
    const pitch = this.holds.get(by);
    if (!this.holds.delete(by) || [...this.holds.values()].includes(pitch)) return;
    if (this.pedal) this.sustained.add(pitch);
    else this.release(pitch);
  }

  setPedal(down) {
    this.pedal = down;
    if (down) return;
    for (const pitch of this.sustained) this.release(pitch);
    this.sustained.clear();
  }

  // All that sounds by a key.
  pitches() {
    return new Set([...this.holds.values(), ...this.sustained]);
  }

  // What is played on the page; a MIDI keyboard tells itself of what is let go.
  letGoOfPage() {
    for (const by of [...this.holds.keys()]) if (!by.startsWith("midi ")) this.letGo(by);
  }

  letGoAll() {
    this.setPedal(false);
    for (const by of [...this.holds.keys()]) this.letGo(by);
  }
}
